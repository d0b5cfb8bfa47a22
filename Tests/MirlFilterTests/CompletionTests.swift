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

    @Test(
        .enabled("needs fish") { try isInstalled("fish") },
        arguments: [
            ("--task de", "denoise derain dehaze"), ("--format w", "webp"), ("--li", "--limit-pixels"),
            ("-v --y", "--y4m"), ("--outdir f", "folder/"), ("fi", "file.jpg"),
        ])
    func `fish completes`(words: String, expected: String) throws {
        let outcome = try place.shell(
            """
            mkdir folder; touch file.jpg
            "$FILTER" --generate-completion-script fish > script
            HOME=$PWD fish --no-config -c "source script; complete -C 'mirl-filter \(words)'"
            """)
        let names = String(decoding: outcome.output, as: UTF8.self).split(separator: "\n")
            .map { $0.prefix { $0 != "\t" } }
        #expect(names.joined(separator: " ") == expected)
        #expect(outcome.errors == "")
    }

    /// As a user does: the line is typed on a terminal, then the tabulator.
    @Test(
        .enabled("needs zsh") { try isInstalled("zsh") },
        arguments: [
            ("mirl-filter --task deno", "ise "), ("mirl-filter --format w", "ebp "), ("mirl-filter -v --y", "4m "),
            ("mirl-filter --outdir f", "older/"), ("mirl-filter --weights l", "ite.mirl "),
            ("mirl-filter fi", "le.jpg "), ("mirl-filter one.jpg fi", "le.jpg "), ("mirl-weights pa", "ck "),
            ("mirl-weights info l", "ite.mirl "),
        ])
    func `zsh completes`(line: String, end: String) throws {
        let outcome = try place.shell(
            """
            mkdir folder scripts; touch file.jpg lite.mirl lite.txt
            PATH=${FILTER%/*}:$PATH
            for tool in mirl-filter mirl-weights; do $tool --generate-completion-script zsh > scripts/_$tool; done
            cat > scripts/.zshrc << 'end'
            fpath=($ZDOTDIR $fpath)
            autoload -Uz compinit && compinit -u -D
            zle-line-init() { BUFFER=$LINE_SO_FAR CURSOR=$#LINE_SO_FAR; zle -U $'\\t!' }
            tell() { print -rn -- "$BUFFER" > completed; exit }
            zle -N zle-line-init; zle -N tell; bindkey '!' tell
            end
            export ZDOTDIR=$PWD/scripts LINE_SO_FAR='\(line)' TERM=dumb
            timeout 60 script -qec 'zsh -d -i' /dev/null < /dev/null > screen
            cat completed
            """)
        #expect(String(decoding: outcome.output, as: UTF8.self) == line + end)
    }

    private static func isInstalled(_ shell: String) throws -> Bool {
        try Workplace().shell("command -v \(shell)").status == 0
    }
}
