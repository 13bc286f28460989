package dev.pollux.samples.cli;

import dev.pollux.job.JobEvent;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Shows the progress of any job: a bar on a terminal, occasional lines in a pipe, nothing if a stage takes less than {@link
 * #PATIENCE}. <em>Thread-safe.</em>
 */
final class Progress implements Consumer<JobEvent> {

    /** The delay after the first event of a stage before its progress is shown. */
    static final Duration PATIENCE = Duration.ofSeconds(1);

    /** The interval between updates of a bar. */
    static final Duration FRAME = Duration.ofMillis(100);

    /** The interval between lines in a pipe. */
    static final Duration LINE = Duration.ofSeconds(5);

    private static final int BAR = 24;
    private static final String ERASE = "\r\033[K";
    /** The label of a job before its stage; empty if its stages are self-explanatory. */
    private static final Map<String, String> WORDS = Map.of("open", "model", "twin", "");

    private final PrintWriter err;
    private final boolean bar;
    private final int width; // of the screen; 0 where it is not known
    private final LongSupplier nanos;
    private final Map<String, Map<String, Long>> begun = new HashMap<>(); // by job and stage
    private long shownAt;
    private boolean everShown;
    private boolean onScreen;

    Progress(PrintWriter err, Terminal terminal) {
        this(err, terminal.interactive(), terminal.width(), System::nanoTime);
    }

    /**
     * @param width columns of the screen, the maximum width of a bar; 0 if unknown
     * @param nanos a clock
     */
    Progress(PrintWriter err, boolean bar, int width, LongSupplier nanos) {
        this.err = err;
        this.bar = bar;
        this.width = width;
        this.nanos = nanos;
    }

    @Override
    public synchronized void accept(JobEvent event) {
        if (event instanceof JobEvent.Progress progress) {
            progress(progress);
        } else if (event instanceof JobEvent.Notice notice) {
            note(notice.message());
        } else if (event instanceof JobEvent.Finished) {
            begun.remove(event.job());
            erase();
        }
    }

    /** Prints a line without disturbing the bar. */
    synchronized void note(String message) {
        erase();
        err.println("pollux: " + message.replace('\n', ' '));
        err.flush();
    }

    /** Shows an activity of unknown length, on a terminal only. */
    synchronized void status(String text) {
        long now = nanos.getAsLong();
        if (bar && (!everShown || now - shownAt >= FRAME.toNanos())) {
            shown(now);
            onScreen = true;
            err.print(ERASE + cut(text));
            err.flush();
        }
    }

    /** Erases the bar. */
    synchronized void erase() {
        if (onScreen) {
            onScreen = false;
            err.print(ERASE);
            err.flush();
        }
    }

    private void progress(JobEvent.Progress progress) {
        long now = nanos.getAsLong();
        long since = now
                - begun.computeIfAbsent(progress.job(), job -> new HashMap<>())
                        .computeIfAbsent(progress.stage(), stage -> now);
        Duration pause = bar ? FRAME : LINE;
        if (since < PATIENCE.toNanos() || everShown && now - shownAt < pause.toNanos()) {
            return;
        }
        shown(now);
        onScreen = bar;
        err.print(bar ? ERASE + cut(drawn(progress)) : "pollux: " + said(progress) + System.lineSeparator());
        err.flush();
    }

    /** A line as wide as the screen would be followed by an empty one that cannot be erased. */
    private String cut(String line) {
        return width == 0 ? line : WordWrap.cut(line, width - 1);
    }

    private void shown(long now) {
        everShown = true;
        shownAt = now;
    }

    private static String drawn(JobEvent.Progress progress) {
        if (progress.total().isEmpty() || progress.total().getAsLong() <= 0) {
            return said(progress);
        }
        double share = Math.min(1, (double) progress.done() / progress.total().getAsLong());
        int full = (int) (share * BAR);
        return title(progress) + " [" + "#".repeat(full) + ".".repeat(BAR - full) + "] "
                + String.format(Locale.ROOT, "%3.0f %%  ", 100 * share) + amount(progress);
    }

    private static String said(JobEvent.Progress progress) {
        return title(progress) + " " + amount(progress);
    }

    private static String title(JobEvent.Progress progress) {
        String job = WORDS.getOrDefault(progress.job(), progress.job());
        return job.isEmpty() || job.equals(progress.stage()) ? progress.stage() : job + ": " + progress.stage();
    }

    private static String amount(JobEvent.Progress progress) {
        boolean bytes = progress.unit().equals("bytes");
        String done = bytes ? Texts.bytes(progress.done()) : Texts.count(progress.done());
        String of = progress.total().isEmpty()
                ? ""
                : " of "
                        + (bytes
                                ? Texts.bytes(progress.total().getAsLong())
                                : Texts.count(progress.total().getAsLong()));
        return done + of + (bytes || progress.unit().equals(progress.stage()) ? "" : " " + progress.unit());
    }
}
