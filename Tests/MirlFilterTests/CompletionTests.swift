import Foundation
import Testing

/// The scripts that `make install` installs complete the filter's options.
struct CompletionTests {
    let place = try! Workplace()

    @Test(arguments: [
        ("--task de", "denoise derain dehaze"), ("--format w", "webp"), ("--li", "--limit-pixels"), ("-v --y", "--y4m"),
        ("--outdir f", "folder"), ("--weights l", "lite.mirl"), ("fi", "file.jpg"), ("one.jpg fi", "file.jpg"),
    ])
    func `bash completes`(words: String, expected: String) throws {
        let outcome = try place.shell(
            """
            mkdir folder; touch file.jpg lite.mirl lite.txt
            exec bash -c '
            source <("$FILTER" --generate-completion-script bash)
            COMP_WORDS=(mirl-filter "$@") COMP_CWORD=$#
            _mirl-filter mirl-filter "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
            echo "${COMPREPLY[*]}"' bash \(words)
            """)
        #expect(String(decoding: outcome.output, as: UTF8.self) == expected + "\n")
        #expect(outcome.errors == "")
    }

    /// Where the shell is installed, it finds nothing wrong.
    @Test(arguments: ["zsh", "fish"])
    func `other shells have scripts too`(shell: String) throws {
        let outcome = try place.shell(
            "\"$FILTER\" --generate-completion-script \(shell) > script && grep -c limit-pixels script > /dev/null"
                + " && if command -v \(shell) > /dev/null; then \(shell) -n script; fi")
        #expect(outcome.status == 0)
        #expect(outcome.errors == "")
    }
}
