// What `make install` leaves on a system: the right files, found by pkg-config and CMake, gone after `make uninstall`.
import Foundation
import Testing

@Suite struct InstallTests {
    static let prefix = "/opt/local"
    static let tree = Result { try install(to: "installed") }

    /// A staged tree with what this build made; nothing is built again.
    private static func install(to name: String, _ variables: String...) throws -> URL {
        let stage = Workshop.folder.appending(path: name)
        try? FileManager.default.removeItem(at: stage)
        try make("install", stage, variables)
        return stage
    }

    private static func make(_ target: String, _ stage: URL, _ variables: [String] = []) throws {
        let places = ["DESTDIR=\(stage.path)", "PREFIX=\(prefix)"] + variables
        let outcome = try Workshop.run("make", ["-s", "-o", "all", target] + places)
        guard outcome.status == 0 else { throw Failure(description: outcome.errors) }
    }

    private func installed(_ path: String) throws -> String { try Self.tree.get().path + Self.prefix + "/" + path }

    /// The version that the header declares.
    private func version() throws -> String {
        let header = try String(contentsOf: Workshop.sources.appending(path: "include/mirl.h"), encoding: .utf8)
        return header.matches(of: /define MIRL_VERSION_\w+ (\d+)/).map { String($0.1) }.joined(separator: ".")
    }

    private func sh(_ script: String, in folder: URL? = nil) throws -> Outcome {
        let tree = try Self.tree.get().path
        return try Workshop.run(
            "PKG_CONFIG_SYSROOT_DIR=\(tree)",
            ["PKG_CONFIG_PATH=\(installed("lib/pkgconfig"))", "LD_LIBRARY_PATH=\(installed("lib"))", "sh", "-ec",
             "cd '\((folder ?? Workshop.folder).path)'\n\(script)"])
    }

    /// A copy of an example's folder, in which it may be built.
    private func copy(ofExample language: String, for purpose: String) throws -> URL {
        _ = try Self.tree.get()
        let copy = Workshop.folder.appending(path: "\(language)-by-\(purpose)")
        try? FileManager.default.removeItem(at: copy)
        try FileManager.default.copyItem(at: Workshop.sources.appending(path: "examples/\(language)"), to: copy)
        return copy
    }

    @Test func linksLeadToTheLibrary() throws {
        let version = try version()
        let major = version.prefix { $0 != "." }
        let files = FileManager.default
        func target(_ link: String) throws -> String {
            try files.destinationOfSymbolicLink(atPath: installed("lib/\(link)"))
        }
        #expect(try target("libmirl.so") == "libmirl.so.\(major)")
        #expect(try target("libmirl.so.\(major)") == "libmirl.so.\(version)")
        #expect(try sh("pkg-config --modversion mirl").output == Data("\(version)\n".utf8))
    }

    @Test func nothingKnowsWhereItWasBuilt() throws {
        let tools = try ["mirl-filter", "mirl-weights"].map { try installed("bin/\($0)") }
        for binary in tools + [try installed("lib/libmirl.so")] {
            let dynamic = try sh("readelf -Wd \(binary)"), sections = try sh("readelf -WS \(binary)")
            #expect(dynamic.status == 0 && dynamic.text.contains("NEEDED"), "\(dynamic.errors)")
            #expect(sections.status == 0 && sections.text.contains(".text"), "\(sections.errors)")
            #expect(!dynamic.text.contains("RPATH") && !dynamic.text.contains("RUNPATH"), "\(binary)")
            #expect(!sections.text.contains(".symtab") && !sections.text.contains(".debug"), "\(binary)")
        }
        let places = try "\(installed("lib/pkgconfig")) \(installed("lib/cmake"))"
        #expect(try sh("grep -rl 'mirl' \(places)").status == 0)
        #expect(try sh("grep -r '\(Workshop.sources.path)\\|@' \(places)").status == 1)
    }

    /// What is linked statically needs no other library and would not show there.
    @Test func theLibraryHoldsNoFoundation() throws {
        let library = try installed("lib/libmirl.so")
        #expect(try sh("grep -q mirl_restore \(library)").status == 0)
        #expect(try sh("grep -q FoundationEssentials \(library)").status == 1)
    }

    @Test func pagesAreFoundUnderAllTheirNames() throws {
        for page in try Page.all() {
            let text = try Data(contentsOf: page.file)
            for name in page.names {
                let place = try installed("share/man/man\(page.section)/\(name).\(page.section)")
                #expect(try Data(contentsOf: URL(fileURLWithPath: place)) == text, "\(name)(\(page.section))")
            }
        }
    }

    @Test(arguments: ["mirl-filter", "mirl-weights"])
    func shellsFindCompletions(tool: String) throws {
        let completions = try installed("share/bash-completion/completions/\(tool)")
        let bash = try sh("exec bash -ec 'source \(completions); complete -p \(tool)'")
        #expect(bash.status == 0, "\(bash.errors)")
        let zsh = try installed("share/zsh/site-functions"), fish = try installed("share/fish/vendor_completions.d")
        #expect(try String(contentsOfFile: "\(zsh)/_\(tool)", encoding: .utf8).hasPrefix("#compdef \(tool)\n"))
        #expect(try String(contentsOfFile: "\(fish)/\(tool).fish", encoding: .utf8).contains("complete -c '\(tool)'"))
        let bin = try installed("bin")
        let loads = try sh(
            """
            if command -v zsh > /dev/null; then
                zsh -fc 'fpath=(\(zsh) $fpath); autoload -Uz compinit; compinit -u -D; [ $_comps[\(tool)] = _\(tool) ]'
            fi
            if command -v fish > /dev/null; then
                PATH=\(bin):$PATH HOME=$PWD fish --no-config \
                    -c 'set fish_complete_path \(fish); complete -C "\(tool) --vers" | grep -q "^--version"'
            fi
            """)
        #expect(loads.status == 0, "\(loads.errors)")
    }

    /// All that there are, and they are those that are built in: for a task its own, and to see by lite.mirl.
    @Test func weightsLieInTheirFolder() throws {
        let folder = try installed("share/mirl"), bin = try installed("bin")
        let outcome = try sh(
            """
            cd \(Workshop.sources.path)/weights
            for file in *.mirl; do cmp \(folder)/$file $file; \(bin)/mirl-weights verify \(folder)/$file; done
            cd - > /dev/null
            printf 'P6\\n3 2\\n255\\nabcdefghijklmnopqr' > weighed.ppm
            for task in denoise derain dehaze; do
                \(bin)/mirl-filter --task $task weighed.ppm > built-in.png
                \(bin)/mirl-filter --task $task --weights \(folder)/lite-$task.mirl weighed.ppm | cmp built-in.png
            done
            saw() { \(bin)/mirl-filter -v "$@" weighed.ppm 2>&1 > /dev/null | grep -o ' saw [a-z ]*, [0-9]* of 100'; }
            saw > built-in.txt
            saw --weights \(folder)/lite.mirl | cmp built-in.txt
            """)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.text == "")
    }

    @Test func librariesMayLieElsewhere() throws {
        let stage = try Self.install(
            to: "multiarch", "LIBDIR=/opt/local/lib/x86_64", "DATADIR=/opt/local/data", "VIPS_MODULES=/opt/local/vips")
        let libraries = stage.path + "/opt/local/lib/x86_64"
        let flags = try Workshop.run("PKG_CONFIG_PATH=\(libraries)/pkgconfig", ["pkg-config", "--libs", "mirl"])
        #expect(flags.text.trimmingCharacters(in: .whitespacesAndNewlines) == "-L/opt/local/lib/x86_64 -lmirl")
        let files = FileManager.default
        #expect(try files.contentsOfDirectory(atPath: stage.path + "/opt/local/lib") == ["x86_64"])
        #expect(files.fileExists(atPath: libraries + "/libmirl.so.1"))
        #expect(files.fileExists(atPath: libraries + "/cmake/mirl/mirlConfig.cmake"))
        #expect(try files.contentsOfDirectory(atPath: stage.path + "/opt/local/vips") == ["vips-mirl.so"])
        #expect(files.fileExists(atPath: stage.path + "/opt/local/data/mirl/lite.mirl"))
        #expect(!files.fileExists(atPath: stage.path + "/opt/local/share/mirl"))
    }

    /// But weights that others put beside those installed.
    @Test func uninstallLeavesNothing() throws {
        let stage = try Self.install(to: "uninstalled")
        func left() -> [String] {
            FileManager.default.enumerator(atPath: stage.path)!.compactMap { $0 as? String }
                .filter { path in
                    let attributes = try? FileManager.default.attributesOfItem(atPath: "\(stage.path)/\(path)")
                    return attributes?[.type] as? FileAttributeType != .typeDirectory || path.hasSuffix("mirl")
                }
        }
        let others = stage.appending(path: "opt/local/share/mirl/others.mirl")
        try Data().write(to: others)
        try Self.make("uninstall", stage)
        #expect(left().filter { !$0.hasSuffix("share/mirl") } == ["opt/local/share/mirl/others.mirl"])
        try FileManager.default.removeItem(at: others)
        try Self.make("uninstall", stage)
        #expect(left() == [])
    }

    /// The example, built as its first lines say, does what the one built beside the library does.
    @Test func cExampleBuildsWithPkgConfig() throws {
        let folder = try copy(ofExample: "c", for: "pkg-config")
        let command = try firstCommand(of: "restore.c", in: folder)
        let outcome = try sh(command + "\nprintf 'P5\\n2 2\\n255\\nabcd' | ./restore", in: folder)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.count == 15)
    }

    /// The folder of the C++ example and two small pictures, built as its first lines say.
    static let batch = Result {
        let tests = InstallTests()
        let folder = try tests.copy(ofExample: "cpp", for: "pkg-config")
        let script = try tests.firstCommand(of: "batch.cpp", in: folder) + """

            mkdir out elsewhere
            printf 'P6\\n2 1 # small\\n255\\nabcdef' > a.ppm
            printf 'P6\\n1 2\\n255\\nabcdef' > b.ppm
            cp a.ppm elsewhere
            """
        let outcome = try tests.sh(script, in: folder)
        guard outcome.status == 0 else { throw Failure(description: outcome.errors) }
        return folder
    }

    @Test func cxxExampleGoesOnAfterABadFile() throws {
        let script = """
            printf 'P6\\n2 1\\n255\\nabc' > short.ppm
            mkdir both
            ./batch derain both a.ppm short.ppm missing.ppm b.ppm && exit 7
            cat both/a.ppm both/b.ppm
            """
        let outcome = try sh(script, in: Self.batch.get())
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.count == 34)
        #expect(outcome.errors.split(separator: "\n").count == 2)
        #expect(outcome.errors.contains("short.ppm: ends before"))
        #expect(outcome.errors.contains("missing.ppm: cannot be opened"))
    }

    @Test(arguments: [
        ("out a.ppm elsewhere/a.ppm", "a.ppm and elsewhere/a.ppm have the same name"),
        (". a.ppm", "a.ppm: would be replaced"),
        ("out/../elsewhere b.ppm elsewhere/a.ppm", "elsewhere/a.ppm: would be replaced"),
        ("missing a.ppm", "missing: not a folder"),
    ])
    func cxxExampleReplacesNothing(arguments: String, message: String) throws {
        let outcome = try sh("./batch derain \(arguments)", in: Self.batch.get())
        #expect(outcome.status == 1)
        #expect(outcome.errors.hasPrefix("batch: \(message)"), "\(outcome.errors)")
        #expect(try sh("ls out; cat a.ppm; cmp a.ppm elsewhere/a.ppm", in: Self.batch.get()).output.count == 25)
    }

    /// In every thread of it.
    @Test func cxxExampleTellsWhySessionsCannotBeMade() throws {
        let script = """
            echo 'int mirl_session_new(void) { return 2; }' | cc -x c -shared -fPIC -o none.so -
            LD_PRELOAD=./none.so ./batch derain out a.ppm b.ppm
            """
        let outcome = try sh(script, in: Self.batch.get())
        #expect(outcome.status == 1)
        #expect(outcome.errors.hasPrefix("batch: "))
        #expect(outcome.errors.split(separator: "\n").count == 1)
    }

    @Test(arguments: [("c", "restore"), ("cpp", "batch")])
    func examplesBuildWithCMake(language: String, program: String) throws {
        let folder = try copy(ofExample: language, for: "cmake")
        let outcome = try sh(
            """
            cmake -B build -DCMAKE_PREFIX_PATH=\(installed("")) && cmake --build build
            unset LD_LIBRARY_PATH
            build/\(program) paint folder file || echo "status $?"
            """, in: folder)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.text.hasSuffix("status \(language == "c" ? 1 : 64)\n"))
    }

    @Test(arguments: [
        ("", true), ("1", true), ("1.0", true), ("1.0.0 EXACT", true), ("0.9", false), ("1.99", false), ("2.0", false),
        ("0.9...1.5", true), ("1.0...1.0", true), ("1.0...<2", true), ("0.8...0.9", false), ("0.9...<1.0", false),
        ("1.1...1.5", false),
    ])
    func cmakeChecksTheVersion(wanted: String, isFound: Bool) throws {
        let folder = Workshop.folder.appending(path: "cmake-version-\(String(wanted.map { $0.isNumber ? $0 : "-" }))")
        _ = try Self.tree.get()
        try? FileManager.default.removeItem(at: folder)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let project = """
            cmake_minimum_required(VERSION 3.19)
            project(version NONE)
            set_property(GLOBAL PROPERTY TARGET_SUPPORTS_SHARED_LIBS TRUE)
            set(CMAKE_SIZEOF_VOID_P 8)
            find_package(mirl \(wanted) QUIET)
            message("found ${mirl_FOUND}")
            """
        try Data(project.utf8).write(to: folder.appending(path: "CMakeLists.txt"))
        let outcome = try sh("cmake -B build -DCMAKE_PREFIX_PATH=\(installed(""))", in: folder)
        #expect(outcome.errors == "found \(isFound ? 1 : 0)\n")
    }

    /// The line of the file's first comment that builds it.
    private func firstCommand(of name: String, in folder: URL) throws -> String {
        let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
        guard let command = text.firstMatch(of: /\n \* +(c(?:c|\+\+) .+)/) else {
            throw Failure(description: "\(name): no command")
        }
        return String(command.1)
    }
}
