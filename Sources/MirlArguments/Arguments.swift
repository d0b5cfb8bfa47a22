/// The command line of this process.
import CArguments

/// The arguments, without the name of the program.
public var processArguments: [String] {
    var count: Int32 = 0
    guard let values = mirl_arguments(&count) else { return Array(CommandLine.arguments.dropFirst()) }
    return (1..<max(1, Int(count))).map { String(cString: values[$0]!) }
}
