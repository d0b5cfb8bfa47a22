/* wrapper.cpp - mirl.hpp: errors are exceptions, handles move, and what callbacks throw comes through. */
#include <mirl.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#define CHECK(condition)                                                                                        \
    do {                                                                                                        \
        if (!(condition)) {                                                                                     \
            std::fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition);                  \
            std::exit(1);                                                                                       \
        }                                                                                                       \
    } while (0)

static_assert(!std::is_copy_constructible_v<mirl::model> && std::is_nothrow_move_constructible_v<mirl::model>);
static_assert(!std::is_copy_constructible_v<mirl::session> && std::is_nothrow_move_constructible_v<mirl::session>);
static_assert(std::is_nothrow_move_assignable_v<mirl::session>);
static_assert(!std::is_convertible_v<mirl::const_image, mirl::image>, "what is const stays so");

using pixels = std::vector<unsigned char>;

static constexpr std::uint32_t width = 34, height = 21;

static pixels picture()
{
    pixels p(width * height * 3);
    for (std::size_t i = 0; i < p.size(); i++)
        p[i] = static_cast<unsigned char>(i * i % 251);
    return p;
}

static mirl::image view(pixels &p) { return mirl::image(mirl::format::rgb8, width, height, p.data()); }

template <class Exception, class Body>
static std::string thrown(Body body)
{
    try {
        body();
    } catch (const Exception &e) {
        return e.what();
    }
    return "nothing was thrown";
}

static pixels restored(mirl::session &session, const mirl::restore_options &options = {})
{
    pixels input = picture(), output(input.size());
    CHECK(session.restore(mirl::const_image(mirl::format::rgb8, width, height, input.data()), view(output), options));
    CHECK(input == picture());
    return output;
}

static void check_errors(const mirl::model &model)
{
    CHECK(thrown<mirl::error>([] { mirl::model::open("/nonexistent"); }).find("/nonexistent") != std::string::npos);
    CHECK(thrown<mirl::error>([] { mirl::model::open("x", 1); }).find("weights in memory") != std::string::npos);
    mirl::session_options options;
    options.kernels = "abacus";
    CHECK(thrown<mirl::error>([&] { mirl::session(model, options); }).find("abacus") != std::string::npos);
    mirl::session session(model);
    pixels p = picture();
    try {
        session.restore(mirl::image(mirl::format::rgb8, 0, 1, p.data()));
        CHECK(!"reached");
    } catch (const mirl::error &e) {
        CHECK(e.status() == MIRL_ERROR_ARGUMENT);
    }
}

static void check_tasks(const mirl::model &model)
{
    CHECK(mirl::task_named("dehaze") == mirl::task::dehaze && !mirl::task_named("paint"));
    CHECK(model.knows(mirl::task::derain));
    CHECK(model.memory_estimate(width, height, 1) > 0);
}

static void check_progress(const mirl::model &model)
{
    mirl::session session(model);
    CHECK(!session.seen());
    mirl::restore_options options;
    float last = 0;
    options.progress = [&](float done) { return last = done, true; };
    pixels expected = restored(session, options);
    CHECK(last == 1 && session.seen() && session.seen()->confidence > 0);

    pixels p = picture();
    options.progress = [](float) { return false; };
    CHECK(!session.restore(view(p), options) && p == picture());
    options.progress = [](float) -> bool { throw std::runtime_error("from progress"); };
    CHECK(thrown<std::runtime_error>([&] { session.restore(view(p), options); }) == "from progress");
    CHECK(p == picture());
    CHECK(session.restore(view(p)) && p == expected);
}

/* A busy session refuses another image, and the callbacks of the first go on. */
static void check_nesting(const mirl::model &model, const pixels &expected)
{
    int parts = 0, refusals = 0;
    bool throws = false;
    mirl::session_options with_runner;
    with_runner.threads = 1;
    with_runner.runner = [&](mirl::work part, std::uint32_t count) {
        for (std::uint32_t i = 0; i < count; i++)
            part(i);
        if (parts++ > 10 && throws)
            throw std::runtime_error("from the runner");
    };
    mirl::session session(model, with_runner), other(model);
    pixels second = picture();
    auto nest = [&] {
        mirl::restore_options inner;
        inner.progress = [&](float) { return true; };
        CHECK(thrown<mirl::error>([&] { session.restore(view(second), inner); }).find("already") != std::string::npos);
        CHECK(second == picture());
        refusals++;
    };
    mirl::restore_options options;
    options.progress = [&](float) { return nest(), true; };
    CHECK(restored(session, options) == expected && refusals > 1);

    /* A restoration by another session, in between, takes none of this one's exceptions and gives it none. */
    throws = true;
    options.progress = [&](float) { return parts % 8 != 0 || restored(other) == expected; };
    CHECK(thrown<std::runtime_error>([&] { restored(session, options); }) == "from the runner");

    throws = false;
    refusals = 0;
    options.progress = [&](float done) -> bool {
        nest();
        if (done > 0.5f)
            throw std::runtime_error("from progress");
        return true;
    };
    CHECK(thrown<std::runtime_error>([&] { restored(session, options); }) == "from progress" && refusals > 1);
    CHECK(restored(session) == expected);
}

static void check_runner(const mirl::model &model, const pixels &expected)
{
    bool fails = false;
    mirl::session_options options;
    options.threads = 3;
    options.runner = [&](mirl::work part, std::uint32_t count) {
        if (fails)
            throw std::runtime_error("from the runner");
        std::vector<std::thread> threads;
        for (std::uint32_t i = 1; i < count; i++)
            threads.emplace_back([=] { part(i); });
        part(0);
        for (std::thread &thread : threads)
            thread.join();
    };
    mirl::session session(model, options);
    CHECK(restored(session) == expected);
    fails = true;
    CHECK(thrown<std::runtime_error>([&] { restored(session); }) == "from the runner");
}

/* Counts what is held, and refuses more than `limit`. */
class account : public std::pmr::memory_resource {
public:
    std::size_t held = 0, most = 0, limit = SIZE_MAX;

private:
    void *do_allocate(std::size_t size, std::size_t alignment) override
    {
        if (size > limit)
            throw std::bad_alloc();
        held += size;
        most = most > held ? most : held;
        return std::pmr::new_delete_resource()->allocate(size, alignment);
    }
    void do_deallocate(void *block, std::size_t size, std::size_t alignment) override
    {
        held -= size;
        std::pmr::new_delete_resource()->deallocate(block, size, alignment);
    }
    bool do_is_equal(const memory_resource &other) const noexcept override { return this == &other; }
};

static void check_memory(const mirl::model &model, const pixels &expected)
{
    account memory;
    mirl::session_options options;
    options.memory = &memory;
    {
        mirl::session session(model, options);
        memory.limit = 100;
        CHECK(thrown<std::bad_alloc>([&] { restored(session); }) == std::bad_alloc().what());
        memory.limit = SIZE_MAX;
        CHECK(restored(session) == expected);
    }
    std::size_t needed = memory.most;
    options.memory_limit = needed;
    {
        mirl::session session(model, options);
        CHECK(restored(session) == expected && memory.most == needed);
    }
    options.memory_limit = needed / 2;
    {
        mirl::session session(model, options);
        CHECK(thrown<mirl::error>([&] { restored(session); }).find("limit") != std::string::npos);
    }
    CHECK(memory.held == 0 && memory.most > expected.size());
}

/* A session that is moved takes its callbacks along; what it replaces is freed while its memory still exists. */
static void check_moves(const mirl::model &model, const pixels &expected)
{
    account first_memory, second_memory;
    mirl::session_options options;
    options.memory = &first_memory;
    mirl::session first(model, options);
    options.memory = &second_memory;
    mirl::session second(model, options);
    CHECK(restored(first) == expected && restored(second) == expected);
    first = std::move(second);
    CHECK(first_memory.held == 0 && second_memory.held > 0);
    CHECK(restored(first) == expected);
    CHECK(second.get() == nullptr && !second.seen());
    CHECK(thrown<mirl::error>([&] { restored(second); }).find("moved") != std::string::npos);
}

int main()
{
    mirl::model model = mirl::model::built_in();
    mirl::session plain(model);
    pixels expected = restored(plain);
    check_errors(model);
    check_tasks(model);
    check_progress(model);
    check_nesting(model, expected);
    check_runner(model, expected);
    check_memory(model, expected);
    check_moves(model, expected);
}
