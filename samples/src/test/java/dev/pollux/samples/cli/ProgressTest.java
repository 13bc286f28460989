package dev.pollux.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pollux.job.JobEvent;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** What is seen of jobs, by a clock that the test moves. */
class ProgressTest {

    private static final String NL = System.lineSeparator();

    private final AtomicLong clock = new AtomicLong();
    private final StringWriter err = new StringWriter();

    private Progress progress(boolean bar) {
        return new Progress(new PrintWriter(err), bar, 0, clock::get);
    }

    private void passes(Duration time) {
        clock.addAndGet(time.toNanos());
    }

    private static JobEvent at(long done, long total, String unit) {
        return new JobEvent.Progress(
                "export", "layers", done, total < 0 ? OptionalLong.empty() : OptionalLong.of(total), unit);
    }

    private static JobEvent end() {
        return new JobEvent.Finished("export", JobEvent.Outcome.COMPLETED, Duration.ofSeconds(1));
    }

    @Test
    void aStageOfLessThanASecondIsNotSeen() {
        Progress progress = progress(true);
        progress.accept(new JobEvent.Started("export"));
        passes(Duration.ofSeconds(2));
        progress.accept(at(0, 2, "layers"));
        passes(Duration.ofMillis(999));
        progress.accept(at(1, 2, "layers"));
        progress.accept(end());

        assertThat(err.toString()).isEmpty();
    }

    @Test
    void aTerminalShowsABarAndTakesItAway() {
        Progress progress = progress(true);
        progress.accept(new JobEvent.Started("export"));
        progress.accept(at(0, 2, "layers"));
        passes(Duration.ofSeconds(1));
        progress.accept(at(1, 2, "layers"));
        passes(Duration.ofMillis(99));
        progress.accept(at(2, 2, "layers"));
        progress.accept(end());

        assertThat(err.toString())
                .isEqualTo("\r\033[Kexport: layers [############............]  50 %  1 of 2" + "\r\033[K");
    }

    @Test
    void aPipeGetsALineNowAndThen() {
        Progress progress = progress(false);
        progress.accept(new JobEvent.Started("export"));
        progress.accept(at(0, 3_000_000, "bytes"));
        passes(Duration.ofSeconds(2));
        progress.accept(at(1_500_000, 3_000_000, "bytes"));
        passes(Duration.ofSeconds(4));
        progress.accept(at(2_000_000, 3_000_000, "bytes"));
        passes(Duration.ofSeconds(1));
        progress.accept(at(1234, -1, "passages"));
        progress.accept(end());

        assertThat(err.toString())
                .isEqualTo(
                        "pollux: export: layers 1.5 MB of 3.0 MB" + NL + "pollux: export: layers 1,234 passages" + NL);
    }

    @Test
    void theStagesOfATwinSpeakForThemselves() {
        Progress progress = progress(false);
        progress.accept(new JobEvent.Progress("twin", "embed", 0, OptionalLong.of(9), "passages"));
        passes(Duration.ofSeconds(1));
        progress.accept(new JobEvent.Progress("twin", "embed", 5, OptionalLong.of(9), "passages"));

        assertThat(err.toString()).isEqualTo("pollux: embed 5 of 9 passages" + NL);
    }

    @Test
    void aNoticeIsShownAtOnce() {
        progress(true).accept(new JobEvent.Notice("export", "two\nlines"));

        assertThat(err.toString()).isEqualTo("pollux: two lines" + NL);
    }
}
