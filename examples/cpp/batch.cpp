/* batch.cpp - restore many pictures at the same time: one model for all, a session for each thread.
 *
 *     c++ -std=c++17 batch.cpp -o batch $(pkg-config --cflags --libs mirl) -pthread
 *     ./batch derain out rainy1.ppm rainy2.ppm ...
 *
 * Reads binary PPM files of 8 bits and writes them, restored, under their own names into the folder,
 * which has to be there. */
#include <mirl.hpp>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <iostream>
#include <limits>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

struct picture {
    std::uint32_t width = 0, height = 0;
    std::vector<unsigned char> pixels;
};

/* Skips white space and comments before the next number of the header. */
std::uint32_t header_number(std::istream &in)
{
    while ((in >> std::ws).peek() == '#')
        in.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
    std::uint32_t number = 0;
    if (!(in >> number) || number == 0 || number > 65535)
        throw std::runtime_error("a number of the header is not 1 to 65535");
    return number;
}

picture read_ppm(const std::filesystem::path &path)
{
    std::ifstream in(path, std::ios::binary);
    if (!in)
        throw std::runtime_error("cannot be opened");
    char magic[2] = {};
    if (!in.read(magic, 2) || magic[0] != 'P' || magic[1] != '6')
        throw std::runtime_error("not a binary PPM file (P6)");
    picture p;
    p.width = header_number(in);
    p.height = header_number(in);
    if (header_number(in) != 255)
        throw std::runtime_error("the maximum must be 255");
    in.get();
    p.pixels.resize(std::size_t(3) * p.width * p.height);
    if (!in.read(reinterpret_cast<char *>(p.pixels.data()), std::streamsize(p.pixels.size())))
        throw std::runtime_error("ends before its last pixel");
    return p;
}

void write_ppm(const std::filesystem::path &path, const picture &p)
{
    std::ofstream out(path, std::ios::binary);
    out << "P6\n" << p.width << ' ' << p.height << "\n255\n";
    out.write(reinterpret_cast<const char *>(p.pixels.data()), std::streamsize(p.pixels.size()));
    if (!out.flush())
        throw std::runtime_error(path.string() + " cannot be written");
}

/* Throws where an output would replace an input, or another output. */
void check_names(const std::filesystem::path &folder, const std::vector<std::filesystem::path> &files)
{
    if (!std::filesystem::is_directory(folder))
        throw std::runtime_error(folder.string() + ": not a folder");
    std::map<std::filesystem::path, std::filesystem::path> inputs;
    for (const std::filesystem::path &file : files) {
        std::error_code unknown; /* a file that cannot be found is told of when it is read */
        if (std::filesystem::equivalent(folder, file.has_parent_path() ? file.parent_path() : ".", unknown))
            throw std::runtime_error(file.string() + ": would be replaced; choose another folder");
        auto [other, is_first] = inputs.emplace(file.filename(), file);
        if (!is_first)
            throw std::runtime_error(other->second.string() + " and " + file.string() + " have the same name");
    }
}

/* Hands out the files to threads; a bad one does not stop the others. */
class batch {
public:
    batch(mirl::task task, std::filesystem::path folder, std::vector<std::filesystem::path> files)
        : task_(task), folder_(std::move(folder)), files_(std::move(files))
    {
    }

    bool run()
    {
        std::size_t count = std::min<std::size_t>(files_.size(), std::max(1u, std::thread::hardware_concurrency()));
        std::vector<std::future<void>> workers; /* which, unlike threads, hand on what was thrown */
        for (std::size_t i = 0; i < count; i++)
            workers.push_back(std::async(std::launch::async, [this] { work(); }));
        for (std::future<void> &worker : workers)
            worker.get();
        return !failed_;
    }

private:
    void work()
    {
        mirl::session_options options;
        options.threads = 1;
        mirl::session session(model_, options);
        for (std::size_t i = next_++; i < files_.size(); i = next_++) {
            try {
                restore(session, files_[i]);
            } catch (const std::exception &failure) {
                tell(files_[i].string() + ": " + failure.what());
                failed_ = true;
            }
        }
    }

    void restore(mirl::session &session, const std::filesystem::path &file)
    {
        picture p = read_ppm(file);
        mirl::restore_options options;
        options.task = task_;
        session.restore(mirl::image(mirl::format::rgb8, p.width, p.height, p.pixels.data()), options);
        write_ppm(folder_ / file.filename(), p);
    }

    void tell(const std::string &line)
    {
        std::lock_guard<std::mutex> lock(mutex_);
        std::cerr << "batch: " << line << '\n';
    }

    mirl::model model_ = mirl::model::built_in();
    mirl::task task_;
    std::filesystem::path folder_;
    std::vector<std::filesystem::path> files_;
    std::atomic<std::size_t> next_{ 0 };
    std::atomic<bool> failed_{ false };
    std::mutex mutex_;
};

} // namespace

int main(int count, char **arguments)
try {
    std::optional<mirl::task> task = count > 3 ? mirl::task_named(arguments[1]) : std::nullopt;
    if (!task) {
        std::cerr << "usage: batch auto|denoise|derain|dehaze folder file.ppm...\n";
        return 64;
    }
    std::filesystem::path folder = arguments[2];
    std::vector<std::filesystem::path> files(arguments + 3, arguments + count);
    check_names(folder, files);
    return batch(*task, folder, files).run() ? 0 : 1;
} catch (const std::exception &failure) {
    std::cerr << "batch: " << failure.what() << '\n';
    return 1;
}
