// The command line of this process.
import CArguments

/// What cannot be a command line, whatever the options are.
public struct ArgumentError: Error, CustomStringConvertible {
    public let description: String
}

/// The arguments, without the name of the program, for a parser that knows no value which begins with a dash, and takes
/// unknown letters after one dash for anything that one of them means. `flags` are the short options without a value,
/// `options` those with one and their long names.
public func processArguments(flags: String, options: [Character: String]) throws(ArgumentError) -> [String] {
    var count: Int32 = 0, given: [String] = []
    if let values = mirl_arguments(&count) {
        for i in 1..<max(1, Int(count)) {
            guard let value = String(validatingCString: values[i]!) else {
                throw ArgumentError(description: "argument \(i), \(String(cString: values[i]!)), is not UTF-8")
            }
            given.append(value)
        }
    } else {
        given = Array(CommandLine.arguments.dropFirst())
    }
    return try expand(given, flags: flags, options: options)
}

/// Writes short options with their values as long ones, those behind flags too, gives negative numbers in the way that
/// the parser takes them, and refuses `--name=`, to which it would give the next argument, and what begins with a dash
/// and is neither an option nor flags, such as a file called -beach.jpg.
package func expand(
    _ arguments: [String], flags: String, options: [Character: String]
) throws(ArgumentError) -> [String] {
    var expanded: [String] = [], rest = arguments[...]
    while let argument = rest.popFirst() {
        if argument == "--" { return expanded + [argument] + rest }
        let letters = argument.dropFirst(), others = letters.drop { flags.contains($0) }
        if argument.hasPrefix("--"), argument.firstIndex(of: "=") == argument.indices.last {
            throw ArgumentError(description: "\(argument) is followed by nothing")
        } else if !argument.hasPrefix("-") || argument.hasPrefix("--") || others.isEmpty {
            expanded.append(argument)
        } else if let option = options[others.first!] {
            if others.count < letters.count { expanded.append("-\(letters.prefix(letters.count - others.count))") }
            guard let value = others.count > 1 ? String(others.dropFirst()) : rest.popFirst() else {
                return expanded + ["-\(others)"]
            }
            expanded += value.isEmpty ? ["--\(option)", ""] : ["--\(option)=\(value)"]
        } else if Double(argument) != nil {
            // The value of the option before it, if that has none yet.
            let option = expanded.last.flatMap { $0.hasPrefix("--") && !$0.contains("=") ? expanded.popLast() : nil }
            expanded.append(option.map { "\($0)=\(argument)" } ?? argument)
        } else {
            throw ArgumentError(
                description: "no option is called \(argument); for a file of that name write ./\(argument)")
        }
    }
    return expanded
}
