/* mirl.hpp - mirl.h for C++17: handles that free themselves, exceptions for errors, callables for callbacks.
 *
 *     auto model = mirl::model::built_in();
 *     mirl::session session(model);
 *     session.restore(mirl::image(mirl::format::rgb8, width, height, pixels));
 *
 * Errors are thrown as mirl::error. What a callback or the memory resource throws ends the restoration and is
 * thrown by restore. A model may be shared by threads; a session serves one thread at a time. mirl.h says the
 * rest. */
#ifndef MIRL_HPP
#define MIRL_HPP

#include <mirl.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <memory_resource>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace mirl {

/* A status other than MIRL_OK; what() is the line that says why. */
class error : public std::runtime_error {
public:
    error(mirl_status status, const std::string &message) : std::runtime_error(message), status_(status) {}
    mirl_status status() const noexcept { return status_; }

private:
    mirl_status status_;
};

enum class task : mirl_task {
    automatic = MIRL_AUTO,
    denoise = MIRL_DENOISE,
    derain = MIRL_DERAIN,
    dehaze = MIRL_DEHAZE
};

enum class precision : mirl_precision { fp32 = MIRL_FP32, bf16 = MIRL_BF16 };

enum class format : mirl_format {
    grey8 = MIRL_GREY8, greya8 = MIRL_GREYA8, rgb8 = MIRL_RGB8, rgba8 = MIRL_RGBA8,
    grey16 = MIRL_GREY16, greya16 = MIRL_GREYA16, rgb16 = MIRL_RGB16, rgba16 = MIRL_RGBA16,
    greyf = MIRL_GREYF, greyaf = MIRL_GREYAF, rgbf = MIRL_RGBF, rgbaf = MIRL_RGBAF,
    bgr8 = MIRL_BGR8, bgra8 = MIRL_BGRA8, bgr16 = MIRL_BGR16, bgra16 = MIRL_BGRA16, bgrf = MIRL_BGRF, bgraf = MIRL_BGRAF
};

/* The task of this name ("auto", "denoise", "derain", "dehaze"), if there is one. */
inline std::optional<task> task_named(const std::string &name)
{
    for (mirl_task i = MIRL_AUTO; mirl_task_name(i) != nullptr; i++)
        if (name == mirl_task_name(i))
            return static_cast<task>(i);
    return std::nullopt;
}

/* Pixels of the host: `height` rows of `width` pixels, `stride` bytes apart; without a stride, one after another. */
class const_image {
public:
    const_image(format f, std::uint32_t width, std::uint32_t height, const void *data, std::size_t stride = 0)
        : c_{ sizeof c_, static_cast<mirl_format>(f), width, height,
              stride != 0 ? stride : width * mirl_format_bytes(static_cast<mirl_format>(f)), const_cast<void *>(data) }
    {
    }
    const mirl_image *get() const noexcept { return &c_; }

private:
    mirl_image c_;
};

/* The same that may be written. */
class image : public const_image {
public:
    image(format f, std::uint32_t width, std::uint32_t height, void *data, std::size_t stride = 0)
        : const_image(f, width, height, data, stride)
    {
    }
};

namespace detail {

struct reason : mirl_error {
    reason() : mirl_error() { struct_size = sizeof(mirl_error); }
    void check(mirl_status result) const
    {
        if (result != MIRL_OK)
            throw error(result, message);
    }
};

} // namespace detail

/* An open weight file with its network. */
class model {
public:
    /* The weights that are in the library. */
    static model built_in()
    {
        return open_by([](mirl_model **m, mirl_error *e) { return mirl_model_open_default(m, e); });
    }
    /* The weight file at `path`, which is UTF-8; it must not change while the model is open. */
    static model open(const std::string &path)
    {
        return open_by([&](mirl_model **m, mirl_error *e) { return mirl_model_open(path.c_str(), m, e); });
    }
    /* A copy of the weight file held in memory. */
    static model open(const void *data, std::size_t size)
    {
        return open_by([&](mirl_model **m, mirl_error *e) { return mirl_model_open_memory(data, size, m, e); });
    }
    bool knows(task t) const noexcept { return mirl_model_knows(get(), static_cast<mirl_task>(t)) != 0; }
    /* Bytes; 0 if a number is out of range. */
    std::uint64_t memory_estimate(std::uint32_t width, std::uint32_t height, std::uint32_t threads = 0) const noexcept
    {
        return mirl_memory_estimate(get(), width, height, threads);
    }
    mirl_model *get() const noexcept { return handle_.get(); }

private:
    struct release {
        void operator()(mirl_model *m) const noexcept { mirl_model_free(m); }
    };
    explicit model(mirl_model *m) : handle_(m) {}
    template <class Open>
    static model open_by(Open open)
    {
        detail::reason why;
        mirl_model *m = nullptr;
        why.check(open(&m, &why));
        return model(m);
    }
    std::unique_ptr<mirl_model, release> handle_;
};

/* A part of the library's work: work(i) does part i. */
class work {
public:
    work(mirl_work function, void *data) : function_(function), data_(data) {}
    void operator()(std::uint32_t index) const { function_(data_, index); }

private:
    mirl_work function_;
    void *data_;
};

struct session_options {
    std::uint32_t threads = 0; /* 0: as many as the process may use */
    std::string kernels;       /* one of mirl_kernels_name; empty: $MIRL_KERNELS, or the best */
    /* Calls part(i) for each i < count, on any threads, and returns when all have returned; empty: own threads. */
    std::function<void(work part, std::uint32_t count)> runner;
    std::pmr::memory_resource *memory = nullptr; /* for scratch memory; must outlive the session; null: the system's */
    std::uint64_t memory_limit = 0; /* bytes of it for an image, beyond which it is cut into tiles; 0: none */
    enum precision precision = precision::fp32;
};

struct restore_options {
    mirl::task task = mirl::task::automatic;
    float strength = 1;                       /* 0 gives the input back, 1 the restored image */
    std::function<bool(float done)> progress; /* false cancels; may be empty */
};

/* What the network saw in an image, and how surely, 0.5..1. */
struct sight {
    mirl::task task;
    float confidence;
};

/* Restores images one after another, and owns the memory that this takes. */
class session {
public:
    explicit session(const model &m, session_options options = {}) : host_(new host)
    {
        host_->options = std::move(options);
        const session_options &wishes = host_->options;
        mirl_session_options c = {};
        c.struct_size = sizeof c;
        c.threads = wishes.threads;
        c.kernels = wishes.kernels.empty() ? nullptr : wishes.kernels.c_str();
        c.runner = wishes.runner ? run : nullptr;
        c.allocate = wishes.memory != nullptr ? allocate : nullptr;
        c.deallocate = wishes.memory != nullptr ? deallocate : nullptr;
        c.memory_limit = wishes.memory_limit;
        c.precision = static_cast<mirl_precision>(wishes.precision);
        c.runner_data = c.allocator_data = host_.get();
        detail::reason why;
        why.check(mirl_session_new(m.get(), &c, &host_->handle, &why));
    }

    /* Restores `input` into `output`, which has its size and format. False if `progress` cancelled: then, as after
     * an exception, `output` is as it was. */
    bool restore(const const_image &input, const image &output, const restore_options &options = {})
    {
        if (!host_)
            throw error(MIRL_ERROR_ARGUMENT, "session: was moved from");
        call now{ options.progress, nullptr };
        mirl_restore_options c = {};
        c.struct_size = sizeof c;
        c.task = static_cast<mirl_task>(options.task);
        c.strength = options.strength;
        c.progress = options.progress ? report : nullptr;
        c.user_data = &now;
        detail::reason why;
        mirl_status result = mirl_restore(get(), input.get(), output.get(), &c, &why);
        /* A call that another one on another thread refuses has had no callbacks: their exceptions are that one's. */
        if (result != MIRL_ERROR_ARGUMENT && host_->thrown)
            now.thrown = std::exchange(host_->thrown, nullptr);
        if (result != MIRL_OK && now.thrown)
            std::rethrow_exception(now.thrown);
        if (result == MIRL_ERROR_CANCELLED)
            return false;
        why.check(result);
        return true;
    }
    /* Restores an image in place. */
    bool restore(const image &pixels, const restore_options &options = {}) { return restore(pixels, pixels, options); }

    /* What the network saw in the last image, `automatic` for nothing to remove, if that can be said. */
    std::optional<sight> seen() const noexcept
    {
        float confidence = 0;
        mirl_task t = mirl_session_seen(get(), &confidence);
        if (confidence == 0)
            return std::nullopt;
        return sight{ static_cast<task>(t), confidence };
    }
    mirl_session *get() const noexcept { return host_ ? host_->handle : nullptr; }

private:
    /* What the callbacks find behind their void pointer: it stays where it is when the session moves. */
    struct host {
        session_options options;
        mirl_session *handle = nullptr;
        std::exception_ptr thrown; /* by the runner or the memory resource */
        host() = default;
        host(const host &) = delete;
        host &operator=(const host &) = delete;
        ~host() { mirl_session_free(handle); }
    };

    /* What a restoration's progress callback finds behind its void pointer. */
    struct call {
        const std::function<bool(float)> &progress;
        std::exception_ptr thrown;
    };

    static int report(void *data, float done) noexcept
    {
        try {
            return static_cast<call *>(data)->progress(done) ? 0 : 1;
        } catch (...) {
            static_cast<call *>(data)->thrown = std::current_exception();
            return 1;
        }
    }
    static int run(void *data, mirl_work function, void *work_data, std::uint32_t count) noexcept
    {
        host *h = static_cast<host *>(data);
        try {
            h->options.runner(work(function, work_data), count);
            return 0;
        } catch (...) {
            h->thrown = std::current_exception();
            return 1;
        }
    }
    static void *allocate(void *data, std::size_t size, std::size_t alignment) noexcept
    {
        host *h = static_cast<host *>(data);
        try {
            return h->options.memory->allocate(size, alignment);
        } catch (...) {
            h->thrown = std::current_exception();
            return nullptr;
        }
    }
    static void deallocate(void *data, void *block, std::size_t size, std::size_t alignment) noexcept
    {
        static_cast<host *>(data)->options.memory->deallocate(block, size, alignment);
    }

    std::unique_ptr<host> host_;
};

} // namespace mirl

#endif
