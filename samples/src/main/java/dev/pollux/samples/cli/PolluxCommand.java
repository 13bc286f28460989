package dev.pollux.samples.cli;

import dev.pollux.StorageException;
import dev.pollux.job.Job;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The base class of all commands. */
@Command(
        sortOptions = false,
        showDefaultValues = false,
        abbreviateSynopsis = true,
        descriptionHeading = "%n",
        parameterListHeading = "%nArguments:%n",
        optionListHeading = "%nOptions:%n",
        footerHeading = "%nExamples:%n")
abstract class PolluxCommand implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    @Option(names = "--json", order = 90, description = "Print one JSON object on standard output and nothing else.")
    private boolean json;

    @Option(names = "--quiet", order = 91, description = "Show no progress and no notes.")
    private boolean quiet;

    @Option(names = "--debug", order = 92, description = "Show the stack trace of an error.")
    private boolean debug;

    @Option(
            names = {"-h", "--help", HelpPages.ALL}, // one option, as picocli warns of two
            order = 93,
            usageHelp = true,
            description = "Show this help and exit; --help-all shows all options and the keys of --json.")
    @SuppressWarnings("UnusedVariable") // picocli reads it
    private boolean help;

    private @Nullable Output output;

    /** Runs the command; returns an {@link ExitCode}. */
    abstract int execute();

    @Override
    public final Integer call() {
        CommandSpec here = spec();
        output = new Output(here.commandLine().getOut(), here.commandLine().getErr(), quiet, pollux().terminal());
        try {
            int code = execute();
            return pollux().interruption().isInterrupted() ? ExitCode.INTERRUPTED : code;
        } catch (OutOfMemoryError e) {
            throw new StorageException(
                    "There is not enough memory; give the JVM more, such as POLLUX_JAVA_OPTIONS=-Xmx8g", e);
        } finally {
            output.progress().erase();
        }
    }

    final boolean json() {
        return json;
    }

    final boolean debug() {
        return debug;
    }

    final Output output() {
        Output open = output;
        if (open == null) {
            throw new IllegalStateException("The command has not begun; run it through its command line");
        }
        return open;
    }

    final Pollux pollux() {
        return (Pollux) spec().root().userObject();
    }

    /** Runs a job with its progress shown, to be ended by Ctrl-C. */
    final <R> R run(Job<R> job) {
        if (!quiet) {
            job.onEvent(output().progress());
        }
        return pollux().interruption().during(job::cancel, job::run);
    }

    /** Runs the command line again with other arguments, and returns its exit code. */
    final int again(List<String> arguments) {
        return spec().root().commandLine().execute(arguments.toArray(String[]::new));
    }

    /** Reports an invalid value of an option; see {@link OptionNames}. */
    final ParameterException usage(IllegalArgumentException e) {
        return usage(OptionNames.spelled(String.valueOf(e.getMessage()), spec()));
    }

    /** Reports a mistake on the command line. */
    final ParameterException usage(String message) {
        return new ParameterException(spec().commandLine(), message);
    }

    private CommandSpec spec() {
        CommandSpec known = spec;
        if (known == null) {
            throw new IllegalStateException("The command is not part of a command line");
        }
        return known;
    }
}
