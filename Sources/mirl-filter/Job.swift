import Glibc
import MirlFiles

/// One file's way through the filter.
struct Job {
    let source: Source
    let destination: Destination
    /// nil where neither an option nor a name says: PNG, or PPM for several images.
    let format: FileFormat?
    /// Such as "3 of 7", for the progress bar.
    var label = ""
}

extension Filter {
    /// What the command line asks for; throws what can be known to fail before any work.
    func jobs() throws(Failure) -> [Job] {
        guard let outdir = outdir.map(withoutEndSlashes) else { return [try job()] }
        try checkOutdir(outdir)
        let jobs = files.enumerated().map { index, file in
            let (name, format) = nameAndFormat(for: file)
            return Job(
                source: Source(file), destination: Destination("\(outdir)/\(name)"), format: format,
                label: "\(index + 1) of \(files.count)")
        }
        for job in jobs {
            try job.source.check()
            try job.destination.checkIsNoFolder("give its input another name")
        }
        try checkCollisions(jobs)
        return jobs
    }

    /// What ends in a slash is the folder itself, not what lies in it.
    private func withoutEndSlashes(_ path: String) -> String {
        let end = path.lastIndex { $0 != "/" } ?? path.startIndex
        return String(path[...end])
    }

    private func job() throws(Failure) -> Job {
        let job = Job(source: Source(files.first), destination: Destination(output), format: try outputFormat())
        try job.source.check()
        try job.destination.check()
        if let output = job.destination.opened.flatMap({ FileIdentity(of: $0) }), output.isRegular,
            output == job.source.identity
        {
            throw Failure(.usage, "\(job.source.name): the input is also the output; replace it with -o FILE")
        }
        return job
    }

    private func outputFormat() throws(Failure) -> FileFormat? {
        if let format { return format }
        guard let output, let suffix = FileName(of: output).suffix else { return nil }
        let format = FileFormat(suffix: suffix)
        if y4m {
            guard format == nil else { throw Failure(.usage, "\(output): a video stream is written, not an image") }
            return nil
        }
        guard let format else {
            let known = FileFormat.allCases.map(\.rawValue).joined(separator: ", ")
            throw Failure(
                .usage, "\(output): the suffix is of no format that can be written; choose one with --format: \(known)")
        }
        return format
    }

    /// The name stays, and so does the suffix as far as it names the format that is written.
    private func nameAndFormat(for file: String) -> (String, FileFormat?) {
        let name = FileName(of: file)
        if y4m { return (name.whole, nil) }
        let known = name.suffix.flatMap { FileFormat(suffix: $0) }
        let format = format ?? known ?? .png
        return (known == format ? name.whole : "\(name.stem).\(format.suffix)", format)
    }

    private func checkOutdir(_ outdir: String) throws(Failure) {
        var facts = stat()
        if stat(outdir, &facts) != 0 {
            // What is not there can be made, but for what a link leads to.
            guard errno == ENOENT, lstat(outdir, &facts) != 0 else { throw .system(.run, outdir) }
            return try checkFolder(Path(outdir).folder)
        }
        guard facts.st_mode & S_IFMT == S_IFDIR else { throw Failure(.run, "\(outdir): not a folder") }
        try checkFolder(Path(outdir))
    }

    /// No output may replace an input, or another output.
    private func checkCollisions(_ jobs: [Job]) throws(Failure) {
        let inputs = Set(jobs.compactMap(\.source.identity))
        var outputs: [Place: String] = [:]
        var replaced: [FileIdentity: String] = [:]  // names may be of one file
        for job in jobs {
            let (input, output) = (job.source.name, job.destination.name)
            let old = FileIdentity(of: output)
            if let old, inputs.contains(old) {
                throw Failure(.usage, "\(output): would replace an input; choose another --outdir")
            }
            let linked = old.flatMap { $0.isRegular ? replaced.updateValue(input, forKey: $0) : nil }
            if let other = outputs.updateValue(input, forKey: Place(output)) ?? linked {
                throw Failure(.usage, "\(output): would be made of both \(other) and \(input)")
            }
        }
    }
}

/// Where a file is to appear, links followed. By bytes, as equal strings may be of different files.
private struct Place: Hashable {
    /// nil where it does not exist yet.
    let folder: FileIdentity?
    let name: Path

    init(_ path: String) {
        let target = Path(path).target
        folder = FileIdentity(of: target.folder)
        name = target.name
    }
}
