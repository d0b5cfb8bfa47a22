import Foundation
import Testing

/// The image arrives whole or not at all, and the caller is told which.
struct OutputTests {
    let place = try! Workplace()

    init() throws { try place.write(picture(), to: "in.ppm") }

    @Test func `a full disk is an error`() throws {
        for script in [
            "\"$FILTER\" in.ppm > /dev/full", "\"$FILTER\" in.ppm -o /dev/full", "\"$FILTER\" --version > /dev/full",
        ] {
            let outcome = try place.shell(script)
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("No space left on device"))
        }
    }

    @Test func `a closed output is an error`() throws {
        #expect(try place.shell("\"$FILTER\" in.ppm >&-").status == 1)
        #expect(try place.shell("\"$FILTER\" in.ppm >&- 2>&-").status == 1)
    }

    @Test func `a closed pipe ends the filter as it ends others`() throws {
        let script = "{ sleep 0.2; env --default-signal=PIPE \"$FILTER\" in.ppm; echo $? > status; } | true"
        let outcome = try place.shell(script + "; while ! [ -s status ]; do sleep 0.05; done")
        #expect(outcome.errors == "")
        #expect(try place.read("status") == Data("141\n".utf8))
    }

    @Test func `a pipe ignored by the caller is an error`() throws {
        let script = "{ sleep 0.2; env --ignore-signal=PIPE \"$FILTER\" in.ppm; echo $? > status; } | true"
        let outcome = try place.shell(script + "; while ! [ -s status ]; do sleep 0.05; done")
        #expect(outcome.errors.contains("stdout: Broken pipe"))
        #expect(try place.read("status") == Data("1\n".utf8))
    }

    @Test func `a new file has the mode that the umask gives, a replaced one keeps its own`() throws {
        let script = "umask 027; \"$FILTER\" in.ppm -o out.png; stat -c %a out.png"
        #expect(try place.shell(script).output == Data("640\n".utf8))
        try place.write(Data("old".utf8), to: "out.png")
        #expect(try place.shell("chmod 600 out.png; \(script)").output == Data("600\n".utf8))
        #expect(try place.field("width", of: "out.png") == "19")
        #expect(try place.files == ["in.ppm", "out.png"])
    }

    @Test func `the input may be its own output`() throws {
        #expect(try place.filter("in.ppm", "-o", "in.ppm", "--strength", "0").status == 0)
        #expect(try place.read("in.ppm") == picture())
    }

    @Test(arguments: ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "link"])
    func `standard output may be named, and what is in it stays`(name: String) throws {
        let outcome = try place.shell(
            "ln -s /dev/stdout link; echo old > out;"
                + "for i in 1 2; do \"$FILTER\" in.ppm --format ppm -o \(name); done >> out")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let image = try place.filter("in.ppm", "--format", "ppm").output
        #expect(try place.read("out") == Data("old\n".utf8) + image + image)
        #expect(try place.files == ["in.ppm", "link", "out"])
    }

    @Test(arguments: ["in.ppm >> in.ppm", "< in.ppm >> in.ppm", "in.ppm -o /dev/stdout >> in.ppm"])
    func `an input that is appended to is refused, as it would never end`(redirection: String) throws {
        let outcome = try place.shell("ulimit -f 1000; \"$FILTER\" --format ppm \(redirection)")
        #expect(outcome.status == 64 && outcome.errors.contains("the input is also the output"))
        #expect(try place.read("in.ppm") == picture())
    }

    @Test func `the same device may be read and written`() throws {
        #expect(try place.shell("\"$FILTER\" < /dev/null > /dev/null").errors.contains("empty"))
    }

    /// Some programs leave their ends of pipes so.
    @Test func `pipes that do not wait are waited for`() throws {
        try place.write(picture(width: 300, height: 200), to: "large.ppm")
        let script = """
            import os, subprocess, sys, time
            (source, to_filter), (from_filter, drain) = os.pipe(), os.pipe()
            for end in source, drain: os.set_blocking(end, False)
            process = subprocess.Popen([sys.argv[1], "--format", "ppm"], stdin=source, stdout=drain)
            os.close(source), os.close(drain)
            time.sleep(0.2)
            with open(to_filter, "wb") as pipe: pipe.write(open("large.ppm", "rb").read())
            time.sleep(0.5)
            with open(from_filter, "rb") as pipe: sys.stdout.buffer.write(pipe.read())
            sys.exit(process.wait())
            """
        try place.write(Data(script.utf8), to: "pipes.py")
        let outcome = try place.shell("python3 pipes.py \"$FILTER\"")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try outcome.output == place.filter("large.ppm", "--format", "ppm").output)
    }

    @Test func `a link stays a link`() throws {
        let outcome = try place.shell(
            "touch real.png; ln -s real.png link.png; \"$FILTER\" in.ppm -o link.png && test -L link.png")
        #expect(outcome.status == 0)
        #expect(try place.field("width", of: "real.png") == "19")
    }

    @Test func `a link to a file that is not there yet stays a link`() throws {
        let outcome = try place.shell(
            "mkdir far; ln -s ../link.png far/next.png; ln -s far/next.png a.png; ln -s real.png link.png;"
                + "\"$FILTER\" in.ppm -o a.png && test -L a.png && test -L far/next.png && test -L link.png")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try place.field("width", of: "real.png") == "19")
    }

    /// Names of files are UTF-8, but what links lead to need not be.
    @Test(arguments: [#"$(printf 't\377.png')"#, #"$(printf 'd\377')/t.png"#])
    func `a link may lead to a name that is no text`(target: String) throws {
        let outcome = try place.shell(
            #"mkdir $(printf 'd\377'); touch \#(target); ln -s \#(target) l.png; "$FILTER" in.ppm -o l.png && "#
                + #"test -L l.png && test -s \#(target); ls | wc -l"#)
        #expect(outcome.errors.isEmpty && outcome.output == Data("\(target.contains("/") ? 3 : 4)\n".utf8))
    }

    /// An accent and a joiner: together with the slash before them they are one character.
    @Test(arguments: ["\u{301}x.png", "\u{200D}x.png"])
    func `a name may begin with what joins the slash before it`(name: String) throws {
        let outcome = try place.shell(
            """
            mkdir far; "$FILTER" in.ppm -o 'far/\(name)' && "$FILTER" 'far/\(name)' --outdir out && ls out far
            """)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try place.files(in: "out") == [name] && place.files(in: "far") == [name])
        #expect(try place.shell("\"$FILTER\" in.ppm -o '/dev/shm/\(name)' && rm '/dev/shm/\(name)'").status == 0)
    }

    @Test func `links that go round are an error`() throws {
        let outcome = try place.shell("ln -s b.png a.png; ln -s a.png b.png; \"$FILTER\" in.ppm -o a.png")
        #expect(outcome.status == 1 && outcome.errors.contains("Too many levels of symbolic links"))
        #expect(try place.shell("test -L a.png && test -L b.png").status == 0)
    }

    @Test(arguments: ["-oout.png", "-o out.png", "-o -out.png", "--output=out.png"])
    func `the output may be named as other programs allow it`(option: String) throws {
        #expect(try place.shell("\"$FILTER\" in.ppm \(option)").status == 0)
        #expect(try place.files.contains(option.hasSuffix("-out.png") ? "-out.png" : "out.png"))
    }

    /// Only root may give files away.
    @Test(.enabled(if: geteuid() == 0)) func `a file that is replaced keeps its owner`() throws {
        let outcome = try place.shell(
            "touch out.png; chown 1234:1235 out.png; chmod 640 out.png; \"$FILTER\" in.ppm -o out.png;"
                + " stat -c '%u %g %a' out.png")
        #expect(outcome.output == Data("1234 1235 640\n".utf8))
    }

    @Test func `a failure leaves the old file and nothing else`() throws {
        try place.write(Data("old".utf8), to: "out.png")
        #expect(try place.filter("-o", "out.png", input: Data("no image".utf8)).status == 2)
        #expect(try place.shell("ulimit -f 0; trap '' XFSZ; \"$FILTER\" in.ppm -o out.png 2>/dev/null").status == 1)
        #expect(try place.read("out.png") == Data("old".utf8))
        #expect(try place.files == ["in.ppm", "out.png"])
        #expect(try place.filter("in.ppm", "-o", "missing/out.png").status == 1)
    }

    @Test func `a signal that ends the writing leaves nothing`() throws {
        let outcome = try place.shell("ulimit -f 0; env --default-signal=XFSZ \"$FILTER\" in.ppm -o out.png")
        #expect(outcome.status == 128 + SIGXFSZ)
        #expect(try place.files == ["in.ppm"])
    }

    /// The first frame is written, the second never comes.
    @Test(arguments: ["INT", "TERM", "HUP", "QUIT", "PIPE", "USR1", "USR2", "ALRM", "IO", "RTMIN", "RTMAX"])
    func `a signal in the middle of the work leaves nothing`(signal: String) throws {
        let outcome = try place.shell(
            """
            ulimit -c 0
            mkfifo in; exec 3<> in; printf 'YUV4MPEG2 W1 H1 Cmono\nFRAME\nx' >&3
            env --default-signal="\(signal)" "$FILTER" --y4m in -o out.y4m &
            while ! ls -A | grep -q partial; do sleep 0.02; done
            kill -\(signal) $!; wait $!
            """)
        let name = try place.shell("kill -l \(outcome.status - 128)").output
        #expect(String(decoding: name, as: UTF8.self) == signal + "\n")
        #expect(try place.files == ["in", "in.ppm"])
    }

    @Test(arguments: [("", "kill $!"), ("--timeout 1", ":")])
    func `a folder that was made goes with its file, unless another lies there`(options: String, stop: String) throws {
        let start = """
            mkfifo in; exec 3<> in; printf 'YUV4MPEG2 W1 H1 Cmono\nFRAME\nx' >&3
            "$FILTER" --y4m in --outdir out \(options) &
            while kill -0 $! && ! ls -A out | grep -q partial; do sleep 0.02; done 2> /dev/null
            """
        #expect(try place.shell("\(start); \(stop); wait $!").status != 0)
        #expect(try place.files == ["in", "in.ppm"])
        #expect(try place.shell("rm in; \(start); touch out/another; \(stop); wait $!").status != 0)
        #expect(try place.files(in: "out") == ["another"])
    }

    @Test func `who reads from a named pipe sees the end though nothing comes`() throws {
        let outcome = try place.shell(
            """
            mkfifo out; \(Workplace.readOut); "$FILTER" missing.png -o out; status=$?
            \(Workplace.readerEnds) && exit $status
            """)
        #expect(outcome.status == 2)
    }

    @Test(arguments: [20, 45, 200])
    func `the progress bar never fills a terminal's line`(columns: Int) throws {
        let outcome = try place.shell(
            "script -qec 'stty cols \(columns); \"$FILTER\" in.ppm -o out.png' /dev/null < /dev/null")
        let lines = outcome.output.split { $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\n") }
        #expect(lines.count > 2)
        #expect(lines.allSatisfy { $0.count < columns })
    }

    @Test func `a folder that was there stays, though empty`() throws {
        let outcome = try place.shell(
            """
            mkfifo in; exec 3<> in; printf 'YUV4MPEG2 W1 H1 Cmono\nFRAME\nx' >&3; mkdir out
            timeout 0.3 "$FILTER" --y4m in --outdir out
            """)
        #expect(outcome.status == 124)
        #expect(try place.files(in: "out") == [])
    }

    @Test func `a timeout in the middle of the work leaves nothing`() throws {
        let outcome = try place.shell(
            """
            mkfifo in; exec 3<> in; printf 'YUV4MPEG2 W1 H1 Cmono\nFRAME\nx' >&3
            "$FILTER" --y4m in -o out.y4m --timeout 0.3
            """)
        #expect(outcome.status == 1)
        #expect(outcome.errors == "mirl-filter: in: frame 2: not done within 0.3 s (--timeout)\n")
        #expect(try place.files == ["in", "in.ppm"])
    }

    @Test func `a dash means standard input and output`() throws {
        let outcome = try place.filter("-", "-o", "-", "--format", "ppm", "--strength", "0", input: picture())
        #expect(outcome.output == picture())
    }

    @Test func `progress shows on a terminal only, and not when quiet`() throws {
        #expect(try place.filter("in.ppm").errors == "")
        let shown = try place.shell("script -qec '\"$FILTER\" in.ppm > out.png' /dev/null")
        #expect(String(decoding: shown.output, as: UTF8.self).contains("100%"))
        let hidden = try place.shell("script -qec '\"$FILTER\" -q in.ppm > out.png' /dev/null")
        #expect(hidden.output.isEmpty)
    }

    @Test func `what cannot be written is found before the work`() throws {
        for (script, status, reason) in [
            ("mkdir out; \"$FILTER\" missing.png -o out", 64, "out: a folder"),
            ("\"$FILTER\" in.ppm -o ''", 64, "--output must not be empty"),
            ("\"$FILTER\" --outdir '' in.ppm", 64, "--outdir must not be empty"),
            (
                "vips black wide.ppm 16384 1; \"$FILTER\" wide.ppm -o out.webp", 1,
                "wide.ppm: 16384x1 pixels: webp takes at most 16383 on a side"
            ),
        ] {
            let outcome = try place.shell(script)
            #expect(outcome.status == Int32(status))
            #expect(outcome.errors.contains(reason), "\(outcome.errors)")
        }
    }

    /// In a chroot, say, where nobody mounted it.
    @Test(.enabled(if: Workplace.canHideProc, "needs the right to mount"))
    func `arguments are read without proc`() throws {
        let hidden = try place.shell(
            """
            exec unshare --mount --map-root-user sh -c '
            mount -t tmpfs none /proc && exec "$FILTER" --format ppm --task derain -o out.ppm in.ppm'
            """)
        #expect(hidden.status == 0)
        #expect(hidden.errors == "")
        #expect(try place.read("out.ppm") == place.filter("--format", "ppm", "--task", "derain", "in.ppm").output)
    }

    @Test func `help and version are answered on standard output`() throws {
        let version = try place.filter("--version")
        #expect(version.status == 0)
        #expect(String(decoding: version.output, as: UTF8.self).hasPrefix("mirl-filter "))
        let help = String(decoding: try place.filter("--help").output, as: UTF8.self)
        #expect(help.contains("100000000"))
    }
}
