import Mirl
import MirlImageIO
import MirlVideo

extension Restorer {
    /// Restores a YUV4MPEG2 stream, frame by frame.
    func restoreVideo(_ job: Job) throws(Failure) {
        deadline.start(job.source.name)
        var input = try job.source.open()
        let output = Output(job.destination)
        var report = Report(isShown: options.verbose)
        let video = try Video(readHeader(of: &input), isCompared: options.compare, place: input.place)
        try checkMemory(for: video, input.place)
        report.tell("\(input.place): y4m, \(video.converter.format)")

        var lines = video.header.line + [newline]
        var number = 1
        while let line = try readFrame(number, of: video, from: &input) {
            let frame = try restoreFrame(number, of: video, in: input, job)
            deadline.stop()
            try output.write(lines + line + [newline])
            try output.write(frame)
            input.drop(video.converter.format.frameSize)
            (lines, number) = ([], number + 1)
        }
        deadline.stop()
        try output.write(lines)
        try output.finish()
        report.finished("restored \(number - 1) frames")
        report.tellTimes()
    }

    private func readHeader(of input: inout Input) throws(Failure) -> StreamHeader {
        let place = input.place
        guard try input.holds(1) else { throw Failure(.input, "\(place): empty, no stream") }
        guard let line = try input.line(longest: StreamHeader.longestLine) else {
            throw Failure(.input, "\(place): no YUV4MPEG2 stream")
        }
        let header: StreamHeader
        do throws(VideoError) { header = try StreamHeader(parsing: line) } catch {
            throw Failure(.input, "\(place): \(error.message)")
        }
        try checked(place) {
            mirl_picture_check_size(UInt64(header.format.width), UInt64(header.format.height), options.limitPixels, &$0)
        }
        return header
    }

    private func checkMemory(for video: Video, _ place: String) throws(Failure) {
        let format = video.converter.format
        _ = try memoryLeft(width: format.width, height: format.height, held: video.held, place)
    }

    /// The line before the next frame, all of whose samples the input then holds; nil after the last.
    private func readFrame(_ number: Int, of video: Video, from input: inout Input) throws(Failure) -> [UInt8]? {
        deadline.start(place(number, input))
        guard try input.holds(1) else { return nil }
        let line = try input.line(longest: StreamHeader.longestLine)
        guard let line, try input.holds(video.converter.format.frameSize) else {
            throw Failure(.input, "\(place(number, input)): cut short")
        }
        guard line.split(separator: UInt8(ascii: " ")).first?.elementsEqual("FRAME".utf8) ?? false else {
            throw Failure(.input, "\(place(number, input)): does not begin with FRAME")
        }
        return line
    }

    private func restoreFrame(
        _ number: Int, of video: Video, in input: borrowing Input, _ job: Job
    ) throws(Failure) -> UnsafeRawBufferPointer {
        let frame = input.bytes.baseAddress!, converter = video.converter
        converter.load(frame)
        try restore(
            ImageBuffer(converter.before, converter.format), into: ImageBuffer(converter.after, converter.format),
            place: place(number, input), held: video.held,
            label: job.label.isEmpty ? "frame \(number)" : "\(job.label), frame \(number)")
        return video.store(frame)
    }

    private func place(_ number: Int, _ input: borrowing Input) -> String { "\(input.place): frame \(number)" }
}

private let newline = UInt8(ascii: "\n")

/// The frames of a stream, with the memory for one.
private final class Video {
    /// Of the stream that is written.
    let header: StreamHeader
    let converter: FrameConverter
    private let isCompared: Bool
    /// For the restored frame, and behind it for both side by side.
    private let memory: Bytes

    init(_ header: StreamHeader, isCompared: Bool, place: String) throws(Failure) {
        guard let written = isCompared ? header.doubled : header else {
            let needs = "--compare needs a width of at most 32767 without half chroma samples"
            throw Failure(.input, "\(place): \(needs), not \(header.format.width)")
        }
        guard let converter = FrameConverter(header.format) else {
            throw Failure(.run, "\(place): no memory for a frame")
        }
        self.header = written
        self.converter = converter
        self.isCompared = isCompared
        memory = try Bytes(count: header.format.frameSize * (isCompared ? 3 : 1), place: place)
    }

    /// The bytes of a frame as it was read, as floats, and as it is written.
    var held: Int { converter.format.frameSize + converter.bytes + memory.contents.count }

    /// The frame as it is written.
    func store(_ frame: UnsafeRawPointer) -> UnsafeRawBufferPointer {
        let size = converter.format.frameSize
        let restored = memory.contents.baseAddress!, joined = restored + size
        converter.store(frame, to: restored)
        guard isCompared else { return UnsafeRawBufferPointer(start: restored, count: size) }
        converter.format.join(frame, restored, into: joined)
        return UnsafeRawBufferPointer(start: joined, count: 2 * size)
    }
}

extension ImageBuffer {
    /// Floats as `FrameConverter` keeps them.
    fileprivate init(_ floats: UnsafeMutablePointer<Float>, _ format: FrameFormat) {
        let pixel = PixelFormat(.float, bands: format.bands)
        self.init(
            pixel, width: format.width, height: format.height, stride: format.width * pixel.bytesPerPixel, data: floats)
    }
}
