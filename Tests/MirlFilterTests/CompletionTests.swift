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

    @Test(arguments: [("zsh", "--limit-pixels[Refuse images of more pixels.]"), ("fish", "-l 'limit-pixels'")])
    func `other shells have scripts too`(shell: String, option: String) throws {
        let script = try place.filter("--generate-completion-script", shell)
        #expect(script.status == 0)
        #expect(String(decoding: script.output, as: UTF8.self).contains(option))
    }

    @Test(.enabled("needs zsh") { try isInstalled("zsh") })
    func `zsh finds nothing wrong with its script`() throws { try check(with: "zsh") }

    @Test(.enabled("needs fish") { try isInstalled("fish") })
    func `fish finds nothing wrong with its script`() throws { try check(with: "fish") }

    private static func isInstalled(_ shell: String) throws -> Bool {
        try Workplace().shell("command -v \(shell)").status == 0
    }

    private func check(with shell: String) throws {
        let outcome = try place.shell("\"$FILTER\" --generate-completion-script \(shell) > script && \(shell) -n script")
        #expect(outcome.status == 0)
        #expect(outcome.errors == "")
    }
}
