package dev.pollux.samples.cli;

import dev.pollux.CancelledException;
import dev.pollux.PolluxException;
import dev.pollux.inference.internal.NativeRuntime;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/**
 * The command line of Pollux: {@code pollux ask --docs docs "How do I merge two models?"}.
 *
 * <p>Only results go to standard output; progress, notes and errors go to standard error. See {@code pollux --help} for the
 * commands and exit codes. <em>Not thread-safe: one thread at a time.</em>
 */
@Command(
        name = "pollux",
        sortOptions = false,
        synopsisSubcommandLabel = "COMMAND",
        versionProvider = Pollux.Version.class,
        description = {
            "Language models and documents in one process: no server, and no network but to fetch a model.",
            "",
            "What can be made again (models, knowledge bases, native libraries) is kept in a cache folder: --cache,"
                    + " else the variable POLLUX_CACHE, else pollux in XDG_CACHE_HOME or in ~/.cache; models of the"
                    + " Hugging Face hub where its own tools keep them."
        },
        descriptionHeading = "%n",
        optionListHeading = "%nOptions:%n",
        commandListHeading = "%nCommands:%n",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:done; the question is answered",
            "1:it did not work; standard error says why, standard output is empty",
            "2:the command line was not understood",
            "3:the documents do not hold the answer",
            "130:interrupted with Ctrl-C; what was written so far is shown",
            "141:the reader of standard output has gone"
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  pollux ask --docs docs \"How do I merge two models?\"",
            "  pollux chat",
            "  pollux generate --model model.gguf \"Write a haiku about twins.\"",
            "  pollux ask --help"
        })
public final class Pollux {

    private static final int HELP_WIDTH = 100;
    private static final int NARROWEST_HELP = 56; // picocli's least is 55
    private static final String[] NO_ARGUMENTS_KNOWN = {""};
    private static final String SHORT = String.join(
            System.lineSeparator(),
            "Usage: pollux COMMAND [OPTIONS]",
            "",
            "  pollux ask --docs docs \"What do they say?\"   answer from a folder of documents",
            "  pollux search --docs docs words              find passages",
            "  pollux chat                                  talk with a model",
            "  pollux inspect model.gguf                    what a file is and what can be done with it",
            "");
    private static final long LAST_WORDS_SECONDS = 10;

    private final Terminal terminal;
    private final Interruption interruption = new Interruption();

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help and exit.")
    @SuppressWarnings("UnusedVariable") // picocli reads it
    private boolean help;

    @Option(
            names = {"-V", "--version"},
            versionHelp = true,
            description = "Show the version and exit.")
    @SuppressWarnings("UnusedVariable") // picocli reads it
    private boolean version;

    private Pollux(Terminal terminal) {
        this.terminal = terminal;
    }

    /** Runs a command and ends the JVM with its exit code. */
    public static void main(String... args) {
        LibraryMessages.silence();
        Pollux pollux = new Pollux(Terminal.standard());
        CommandLine commands = commandLine(pollux, args.length == 0 ? "" : args[0]);
        commands.setOut(new PrintWriter(
                new OutputStreamWriter(new StandardOutput(new FileOutputStream(FileDescriptor.out)), charset())));
        commands.setErr(new PrintWriter(new OutputStreamWriter(new FileOutputStream(FileDescriptor.err), charset())));
        commands.setExecutionStrategy(parsed -> {
            moveCache(parsed);
            return new CommandLine.RunLast().execute(parsed);
        });
        CountDownLatch ended = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> pollux.leave(ended), "pollux-interrupt"));
        int code = ExitCode.ERROR;
        try {
            code = commands.execute(args);
            commands.getOut().flush();
        } catch (StandardOutput.ClosedException e) {
            code = ExitCode.PIPE;
        } catch (Error e) {
            if (!pollux.interruption.isInterrupted()) {
                e.printStackTrace(commands.getErr());
            }
        } finally {
            commands.getErr().flush();
            ended.countDown();
            System.exit(code);
        }
    }

    /** {@code --cache} sets the cache of the whole process, including its native libraries. */
    private static void moveCache(ParseResult parsed) {
        ParseResult command = parsed;
        while (command.hasSubcommand()) {
            command = command.subcommand();
        }
        Path cache = command.matchedOptionValue("--cache", null);
        if (cache != null) {
            System.setProperty("pollux.cache", cache.toAbsolutePath().toString());
        }
    }

    /** The commands, ready to parse or to execute; standard input is the process's. */
    public static CommandLine commandLine() {
        return commandLine(Terminal.standard());
    }

    /** The commands for another terminal. */
    static CommandLine commandLine(Terminal terminal) {
        return commandLine(new Pollux(terminal), "");
    }

    /** @param called the command that is called; if it is none, all are there */
    private static CommandLine commandLine(Pollux pollux, String called) {
        return HelpPages.arranged(Commands.added(new CommandLine(pollux), called))
                .setUsageHelpWidth(pollux.helpWidth())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setAbbreviatedOptionsAllowed(false)
                .setParameterExceptionHandler(Pollux::misused)
                .setExecutionExceptionHandler(pollux::failed);
    }

    /**
     * The shutdown action of Ctrl-C: it cancels running work and waits briefly for partial results. The JVM ends when it
     * returns.
     */
    private void leave(CountDownLatch ended) {
        interruption.interrupt();
        try {
            while (!interruption.isIdle() && !ended.await(LAST_WORDS_SECONDS, TimeUnit.SECONDS)) {
                return;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static int misused(ParameterException e, String[] args) {
        CommandLine at = e.getCommandLine();
        if (args.length > 0 && args[0].equals("help")) {
            String[] help = Arrays.copyOfRange(args, 1, args.length + 1);
            help[args.length - 1] = "--help";
            return at.getCommandSpec().root().commandLine().execute(help);
        }
        if (args.length == 0) {
            at.getErr().println(SHORT);
        } else {
            at.getErr().println("pollux: " + Mistakes.told(e));
        }
        at.getErr().println("Try '" + at.getCommandSpec().qualifiedName() + " --help'.");
        at.getErr().flush();
        return ExitCode.USAGE;
    }

    private int failed(Exception e, CommandLine at, ParseResult parsed) {
        if (e instanceof StandardOutput.ClosedException) {
            return ExitCode.PIPE;
        }
        if (interruption.isInterrupted() || e instanceof CancelledException) {
            return ExitCode.INTERRUPTED;
        }
        if (e instanceof IllegalArgumentException) {
            String spelled = OptionNames.spelled(Plainly.told(e), at.getCommandSpec());
            if (spelled.startsWith("--")) {
                return misused(new ParameterException(at, spelled), NO_ARGUMENTS_KNOWN);
            }
        }
        boolean debug = at.getCommand() instanceof PolluxCommand command && command.debug();
        boolean foreseen = e instanceof PolluxException || e instanceof IllegalArgumentException;
        String message = foreseen && e.getMessage() != null
                ? Plainly.told(e)
                : "something unexpected happened: " + Plainly.said(e.toString())
                        + (debug ? "" : "; run it with --debug to see where");
        at.getErr().println("pollux: " + message);
        if (debug) {
            e.printStackTrace(at.getErr());
        }
        at.getErr().flush();
        return ExitCode.ERROR;
    }

    private int helpWidth() {
        return terminal.width() == 0
                ? HELP_WIDTH
                : Math.max(NARROWEST_HELP, Math.min(terminal.width() - 1, HELP_WIDTH));
    }

    Terminal terminal() {
        return terminal;
    }

    Interruption interruption() {
        return interruption;
    }

    @SuppressWarnings(
            "SystemConsoleNull") // on JDK 17 it is null where no one sits; where it is not, its charset serves
    private static Charset charset() {
        return Terminal.isWindows() && System.console() != null
                ? System.console().charset()
                : StandardCharsets.UTF_8;
    }

    /** The version in the jar, and the versions of libraries that affect answers. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = Pollux.class.getPackage().getImplementationVersion();
            return new String[] {
                "pollux " + (version == null ? "(not from a jar)" : version),
                "Java " + System.getProperty("java.version") + " on " + System.getProperty("os.name") + " "
                        + System.getProperty("os.arch"),
                "ONNX Runtime " + runtime()
            };
        }

        /** The loaded version, which may differ from the one in the jar. */
        private static String runtime() {
            try {
                return NativeRuntime.version();
            } catch (PolluxException e) {
                return "is not available: " + e.getMessage();
            }
        }
    }
}
