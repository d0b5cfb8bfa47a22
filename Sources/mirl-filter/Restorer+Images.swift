import MirlImageIO
import MirlVideo

extension Restorer {
    /// Restores an image, or those of a PNM stream one after another.
    func restoreImages(_ job: Job) throws(Failure) {
        deadline.start(job.source.name)
        var input = try job.source.open()
        let output = Output(job.destination)
        var number = 1
        repeat {
            let file = try restoreImage(number, from: &input, job)
            deadline.stop()
            try output.write(UnsafeRawBufferPointer(file.contents))
            number += 1
        } while try input.holdsMore()
        try output.finish()
    }

    /// The encoded image.
    private func restoreImage(_ number: Int, from input: inout Input, _ job: Job) throws(Failure) -> Bytes {
        let place = place(number, in: input)
        var report = Report(isShown: options.verbose)
        deadline.start(place)
        let size = try readImage(number, from: &input)
        report.finished("read")
        var picture = try Picture(
            decoding: .init(rebasing: input.bytes.prefix(size)), limit: options.limitPixels, place: place)
        input.drop(size)
        report.finished("decoded")
        report.tell("\(place): \(picture.description)")
        if options.strip { picture.strip() }
        if options.compare { try picture.repeatBeside(place: place) }
        if let format = job.format { try picture.check(fits: format, place: place) }
        let samples = picture.restored
        let held = held(samples: samples.stride * samples.height, file: size)
        try restore(samples, into: samples, place: place, held: held, label: job.label)
        report.finished("restored")
        if options.task == .auto { report.tell(sight) }
        let format = try format(of: job, after: number, &input)
        let file = try picture.encoded(as: format, quality: options.quality, place: place)
        report.finished("encoded")
        report.tellTimes()
        return file
    }

    private func place(_ number: Int, in input: borrowing Input) -> String {
        number == 1 ? input.place : "\(input.place): image \(number)"
    }

    /// The bytes of the next image, all of which the input then holds as far as they exist. What is known to be too
    /// large is not read.
    private func readImage(_ number: Int, from input: inout Input) throws(Failure) -> Int {
        let (outline, refusal) = try lookAtImage(number, in: &input), extent = extent(of: outline)
        if let refusal { throw refusal }
        if outline.width > 0 {
            let (width, height) = (Int(outline.width), Int(outline.height))
            let place = place(number, in: input)
            let held = held(samples: outline.size, file: extent ?? 0)
            _ = try memoryLeft(width: width, height: height, held: held, place)
        }
        if let extent { _ = try input.holds(extent) } else { try readRest(of: &input) }
        return min(extent ?? .max, input.bytes.count)
    }

    /// The bytes of an image as it was read, decoded and encoded.
    private func held(samples: Int, file: Int) -> Int { max(samples, file) + 2 * samples }

    private func readRest(of input: inout Input) throws(Failure) {
        let video = "\(StreamHeader.magic) ".utf8
        if try input.holds(video.count), input.bytes.starts(with: video) {
            throw Failure(.input, "\(input.place): a video stream, which needs --y4m")
        }
        if try input.holds(12) {
            try checked(input.place) { mirl_picture_check_beginning(input.bytes.baseAddress, 12, &$0) }
        }
        try input.readAll(mostBytes.count, mostBytes.reason)
    }

    /// How long a file may be that is read to its end. In plain PNM a pixel takes 18 bytes; there may be metadata.
    private var mostBytes: (count: Int, reason: String) {
        let pixels = Int(clamping: min(options.limitPixels, 1 << 40)) * 18 + (64 << 20)
        let limits: [(count: Int, reason: String)] = [
            (pixels, "more than any image within --limit-pixels"),
            (options.memory?.bytes ?? .max, "the limit of --memory"), (2 << 30, "which is too long"),
        ]
        return limits.min { $0.count < $1.count }!
    }

    /// What the header of the next image tells, all that is read, and why the image is refused if it is. Only raw PNM
    /// may come after another image.
    private func lookAtImage(
        _ number: Int, in input: inout Input
    ) throws(Failure) -> (outline: mirl_picture_outline, refusal: Failure?) {
        let longestHeader = 64 << 10
        var outline = mirl_picture_outline(), refusal: Failure?
        while true {
            let bytes = input.bytes
            do throws(Failure) {
                try checked(place(number, in: input)) {
                    mirl_picture_look_at(bytes.baseAddress, bytes.count, options.limitPixels, &outline, &$0)
                }
            } catch {
                refusal = error
            }
            guard refusal == nil, outline.extent == 0, bytes.count < longestHeader, try input.holds(bytes.count + 1)
            else { break }
        }
        if number > 1, extent(of: outline) == nil {
            throw refusal
                ?? Failure(.input, "\(place(number, in: input)): no raw PNM image, and nothing else can follow one")
        }
        return (outline, refusal)
    }

    /// nil where the image goes on to the end of its file: SIZE_MAX is -1 here.
    private func extent(of outline: mirl_picture_outline) -> Int? { outline.extent > 0 ? outline.extent : nil }

    /// Several images can only be PPM, and one is where that is asked for or nothing else and more follow, though that
    /// be refused in its turn.
    private func format(of job: Job, after number: Int, _ input: inout Input) throws(Failure) -> FileFormat {
        if number > 1 || job.format == .ppm { return .ppm }
        guard try input.holdsMore() else { return job.format ?? .png }
        _ = try lookAtImage(number + 1, in: &input)
        guard let format = job.format else { return .ppm }
        throw Failure(.input, "\(input.place): several images can only be written as ppm, not as \(format.rawValue)")
    }
}
