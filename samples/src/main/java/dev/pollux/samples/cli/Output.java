package dev.pollux.samples.cli;

import dev.pollux.generation.Channel;
import dev.pollux.generation.Delta;
import java.io.PrintWriter;

/** Results on standard output, everything else on standard error. <em>Not thread-safe: one thread at a time.</em> */
final class Output {

    private static final String DIM = "\033[2m";
    private static final String PLAIN = "\033[0m";

    private final PrintWriter out;
    private final PrintWriter err;
    private final boolean quiet;
    private final boolean colours;
    private final Progress progress;
    private final int width;
    private WordWrap wrap;
    private boolean thought; // whether the last piece was reasoning

    /** @param quiet whether notes and progress are left out */
    Output(PrintWriter out, PrintWriter err, boolean quiet, Terminal terminal) {
        this.out = out;
        this.err = err;
        this.quiet = quiet;
        this.colours = terminal.colours();
        this.progress = new Progress(err, terminal);
        this.width = terminal.width();
        this.wrap = new WordWrap(width);
    }

    /** Lines of the result that are prose: on a terminal broken between words. */
    void prose(String text) {
        line(WordWrap.wrapped(text, width).replace("\n", System.lineSeparator()));
    }

    /** A quotation below what it is from; on a terminal broken between words. */
    void quote(String text) {
        String indent = "    ";
        String broken = WordWrap.wrapped('"' + text + '"', width == 0 ? 0 : width - indent.length());
        line(indent + broken.replace("\n", System.lineSeparator() + indent));
    }

    /** The end of a result that came in pieces. */
    void endOfPieces() {
        String rest = wrap.end();
        wrap = new WordWrap(width);
        if (!rest.isEmpty()) {
            out.print(rest.replace("\n", System.lineSeparator()));
        }
        out.flush();
    }

    /** A line of the result. */
    void line(String line) {
        progress.erase();
        out.println(line);
        out.flush();
    }

    /** A piece of the result, shown as far as its words are whole; {@link #endOfPieces} shows the rest. */
    void piece(String text) {
        progress.erase();
        out.print(wrap.append(text).replace("\n", System.lineSeparator()));
        out.flush();
    }

    /** A piece of what a model writes: its answer and, where that is wanted, its reasoning as an aside. */
    void piece(Delta delta, boolean reasoning) {
        String answer = delta.text(Channel.ANSWER);
        String thoughts = reasoning ? delta.text(Channel.REASONING) : "";
        if (!answer.isEmpty()) {
            if (thought) {
                asidePiece(System.lineSeparator());
            }
            piece(answer);
            thought = false;
        } else if (!thoughts.isEmpty()) {
            asidePiece(thoughts);
            thought = true;
        }
    }

    /** The result as one object on one line. */
    void json(Object value) {
        line(JsonShapes.tree(value).toString());
    }

    /** A note about the result. */
    void note(String message) {
        if (!quiet) {
            progress.note(message);
        }
    }

    /** A line of what is not yet the result, or only explains it. */
    void aside(String line) {
        asidePiece(line + System.lineSeparator());
    }

    /** A piece of the same, shown at once. */
    void asidePiece(String text) {
        progress.erase();
        err.print(colours ? DIM + text + PLAIN : text);
        err.flush();
    }

    /** The current activity, on a terminal only. */
    void status(String text) {
        if (!quiet) {
            progress.status(text);
        }
    }

    /** The listener of jobs. */
    Progress progress() {
        return progress;
    }

    boolean isQuiet() {
        return quiet;
    }
}
