package dev.pollux.samples.cli;

import static picocli.CommandLine.Model.UsageMessageSpec.*;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/**
 * Help with the examples first. A command with many options shows those that most people need; {@code --help-all} shows all of
 * them, and the keys of {@code --json}.
 */
final class HelpPages {

    static final String ALL = "--help-all";

    private static final int MANY_OPTIONS = 12;

    /** By {@link OptionSpec#order()}: of what few people need, which documents, how they answer, which model, how it draws. */
    private static final Set<Integer> SELDOM =
            Set.of(3, 4, 5, 6, 7, 12, 21, 22, 23, 32, 33, 34, 35, 36, 37, 38, 40, 41, 80, 81, 91, 92);

    private static final List<String> SECTIONS = List.of(
            SECTION_KEY_SYNOPSIS_HEADING,
            SECTION_KEY_SYNOPSIS,
            SECTION_KEY_FOOTER_HEADING,
            SECTION_KEY_FOOTER,
            SECTION_KEY_DESCRIPTION_HEADING,
            SECTION_KEY_DESCRIPTION,
            SECTION_KEY_PARAMETER_LIST_HEADING,
            SECTION_KEY_PARAMETER_LIST,
            SECTION_KEY_COMMAND_LIST_HEADING,
            SECTION_KEY_COMMAND_LIST,
            SECTION_KEY_OPTION_LIST_HEADING,
            SECTION_KEY_OPTION_LIST,
            SECTION_KEY_EXIT_CODE_LIST_HEADING,
            SECTION_KEY_EXIT_CODE_LIST);

    private HelpPages() {}

    /** The commands with help of this form. */
    static CommandLine arranged(CommandLine commands) {
        commands.setHelpSectionKeys(SECTIONS);
        arrange(commands);
        return commands;
    }

    private static void arrange(CommandLine command) {
        command.getHelpSectionMap().put(SECTION_KEY_OPTION_LIST, HelpPages::options);
        command.getHelpSectionMap().put(SECTION_KEY_DESCRIPTION, HelpPages::description);
        command.getSubcommands().values().forEach(HelpPages::arrange);
    }

    private static String options(Help help) {
        List<OptionSpec> options = help.commandSpec().options().stream()
                .filter(option -> !option.hidden())
                .toList();
        boolean many = options.size() > MANY_OPTIONS && !isWhole(help);
        String shown = help.optionListExcludingGroups(options.stream()
                .filter(option -> !many || !SELDOM.contains(option.order()))
                .toList());
        return many
                ? shown
                        + String.format(
                                "%nAll options: %s %s%n", help.commandSpec().qualifiedName(), ALL)
                : shown;
    }

    private static String description(Help help) {
        return Arrays.stream(help.commandSpec().usageMessage().description())
                .filter(paragraph -> isWhole(help) || !paragraph.startsWith("--json:"))
                .map(paragraph -> WordWrap.wrapped(
                        paragraph, help.commandSpec().usageMessage().width()))
                .collect(Collectors.joining("\n"))
                .strip()
                .replace("\n", System.lineSeparator())
                .concat(System.lineSeparator());
    }

    private static boolean isWhole(Help help) {
        ParseResult parsed = help.commandSpec().root().commandLine().getParseResult();
        return parsed != null && parsed.originalArgs().contains(ALL);
    }
}
