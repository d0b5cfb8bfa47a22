// swift-tools-version: 6.2
import PackageDescription

// What is installed runs where no Swift is. Tests link the runtime dynamically: Testing has no static form.
let staticRuntime = ["-static-stdlib", "-use-ld=lld"]

// ArgumentParser was compiled for the dynamic Foundation, so what the static one needs must be named.
let tool = LinkerSetting.unsafeFlags(
    staticRuntime + ["-l_FoundationCollections", "-l_FoundationCShims", "-lswiftSynchronization"])

// lld, as gold exports some Swift symbols in spite of the version script; nodelete, as the runtime cannot be unloaded.
let sharedLibrary = LinkerSetting.unsafeFlags(
    staticRuntime
        + [
            "-soname=libmirl.so.1", "-z", "nodelete", "-z", "now", "--wrap=environ",
            "--version-script=\(Context.packageDirectory)/include/libmirl.map",
        ]
        .flatMap { ["-Xlinker", $0] })

// Dependencies point one way: kernels know nobody, weights only the kernels, Mirl knows both, the C ABI and the tools
// know Mirl.
let package = Package(
    name: "mirl",
    products: [
        .library(name: "mirl", type: .dynamic, targets: ["MirlABI"]),
        .executable(name: "mirl-filter", targets: ["mirl-filter"]),
        .executable(name: "mirl-weights", targets: ["mirl-weights"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
    ],
    targets: [
        .target(name: "MirlKernels"),
        .target(name: "MirlDefaultWeights"),
        .target(name: "MirlWeights", dependencies: ["MirlKernels"]),
        .target(name: "Mirl", dependencies: ["MirlKernels", "MirlWeights", "MirlDefaultWeights"]),
        .target(name: "MirlPacking", dependencies: ["MirlWeights"]),
        .systemLibrary(name: "CMirl", path: "include"),
        .target(name: "CEnvironment"),
        .target(name: "MirlABI", dependencies: ["Mirl", "CMirl", "CEnvironment"], linkerSettings: [sharedLibrary]),
        // Only headers: vips.pc itself asks for -pthread, which SwiftPM refuses with a warning.
        .systemLibrary(name: "CVips", path: "Sources/CVips", pkgConfig: "glib-2.0", providers: [.apt(["libvips-dev"])]),
        .systemLibrary(name: "CPNG", path: "Sources/CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
        .target(name: "MirlImageIO", dependencies: ["CVips", "CPNG"]),
        .target(name: "MirlVideo"),
        .target(name: "MirlFiles"),
        .target(name: "CArguments"),
        .target(name: "MirlArguments", dependencies: ["CArguments"]),
        .executableTarget(
            name: "mirl-filter",
            dependencies: [
                "Mirl", "MirlArguments", "MirlFiles", "MirlImageIO", "MirlVideo", "CMirl",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            linkerSettings: [tool]),
        .executableTarget(
            name: "mirl-weights",
            dependencies: [
                "MirlArguments", "MirlFiles", "MirlPacking", "MirlWeights", "CMirl",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            linkerSettings: [tool]),
        .target(name: "MirlMachine"),
        .executableTarget(
            name: "mirl-bench",
            dependencies: [
                "Mirl", "MirlFiles", "MirlKernels", "MirlMachine", "MirlPacking", "MirlTestSupport", "MirlWeights",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            linkerSettings: [tool]),
        .target(
            name: "MirlTestSupport", dependencies: ["MirlKernels", "MirlPacking", "MirlWeights"],
            path: "Tests/MirlTestSupport"),
        .testTarget(
            name: "MirlWeightsTests",
            dependencies: ["MirlPacking", "MirlWeights", "MirlKernels", "MirlTestSupport"],
            exclude: ["Checkpoints"]),
        .testTarget(
            name: "MirlTests", dependencies: ["Mirl", "MirlKernels", "MirlPacking", "MirlTestSupport"],
            exclude: ["Golden"]),
        .testTarget(name: "MirlVideoTests", dependencies: ["MirlVideo"]),
        .testTarget(name: "MirlFilterTests", dependencies: ["MirlTestSupport"]),
        .testTarget(name: "MirlABITests"),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .gnu17
)
