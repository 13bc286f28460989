package dev.pollux.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OrtEnvironment;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.twin.TwinOptions;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/** Help that needs no manual. */
class HelpTest {

    private static final int WIDTH = 100;

    static List<String> commands() {
        return List.copyOf(Pollux.commandLine().getSubcommands().keySet());
    }

    @Test
    void oneCommandIsReadIfItIsCalledAndElseAll() {
        assertThat(added("export")).containsExactly("export");
        assertThat(added("exprot")).containsExactlyElementsOf(Commands.NAMES);
        assertThat(commands()).containsExactlyElementsOf(Commands.NAMES);
    }

    private static List<String> added(String called) {
        CommandLine commands = Commands.added(new CommandLine(CommandSpec.create()), called);
        return List.copyOf(commands.getSubcommands().keySet());
    }

    @ParameterizedTest
    @MethodSource("commands")
    void oneOptionAsksForHelp(String name) {
        assertThat(Pollux.commandLine()
                        .getSubcommands()
                        .get(name)
                        .getCommandSpec()
                        .options())
                .filteredOn(option -> option.usageHelp() && !option.inherited())
                .hasSize(1);
        assertThat(Run.of(name, "--help-all").out().lines().count())
                .isGreaterThanOrEqualTo(Run.of(name, "--help").out().lines().count());
    }

    @ParameterizedTest
    @MethodSource("commands")
    void everyCommandSaysWhatItDoesWithExamples(String name) {
        CommandLine command = Pollux.commandLine().getSubcommands().get(name);
        String[] examples = command.getCommandSpec().usageMessage().footer();

        assertThat(Run.of(name, "--help").code()).isEqualTo(ExitCode.OK);
        assertThat(Run.of(name, "--help").out())
                .startsWith("Usage: pollux " + name)
                .contains("--json", "Examples:");
        assertThat(Run.of(name, "--help").out().lines()).allMatch(line -> line.length() <= WIDTH, "at most 100 wide");
        assertThat(examples).isNotEmpty().allMatch(example -> example.contains("pollux "), "a command of pollux");
    }

    @Test
    void theDefaultsThatHelpNamesAreTheLibrarys() {
        String help = Run.of("generate", "--help-all").out().replaceAll("\\s+", " ");
        GenerationOptions defaults = GenerationOptions.DEFAULTS;

        assertThat(help)
                .contains("Default: " + defaults.maxTokens() + "; "
                        + TwinOptions.DEFAULTS.generation().maxTokens() + " from documents.");
        assertThat(help)
                .contains(
                        "--temperature=T",
                        "Default: the model's, else " + GenerationOptions.SAMPLED.temperature() + "; 0 from")
                .contains("Drop tokens below this share of the best, in [0, 1]. Default: the model's, else "
                        + GenerationOptions.SAMPLED.minP() + ".");
        assertThat(TwinOptions.DEFAULTS.generation().temperature()).isZero();
        assertThat(Run.of("ask", "--help-all").out().replaceAll("\\s+", " "))
                .contains("Most sentences to quote, in [1, 20]. Default: " + TwinOptions.DEFAULTS.maxEvidence() + ".")
                .contains("Passages to retrieve, in [1, 100]. Default: " + TwinOptions.DEFAULTS.topK() + ".");
    }

    @Test
    void theFirstHelpListsCommandsAndExitCodes() {
        assertThat(Run.of("--help").out()).contains(commands()).contains("Exit codes:", "  3     the documents");
    }

    @Test
    void theVersionNamesPolluxJavaAndTheRuntimeThatIsLoaded() {
        assertThat(Run.of("--version").out().lines())
                .containsExactly(
                        "pollux (not from a jar)",
                        "Java " + System.getProperty("java.version") + " on " + System.getProperty("os.name") + " "
                                + System.getProperty("os.arch"),
                        "ONNX Runtime " + OrtEnvironment.getEnvironment().getVersion());
    }
}
