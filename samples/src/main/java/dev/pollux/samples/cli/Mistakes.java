package dev.pollux.samples.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.OverwrittenOptionException;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Describes a mistake on the command line and its correction. */
final class Mistakes {

    private static final Pattern PARAMETER = Pattern.compile("'([^']+)'");

    private Mistakes() {}

    static String told(ParameterException e) {
        if (e instanceof UnmatchedArgumentException unmatched) {
            return unmatched(unmatched);
        }
        if (e instanceof MissingParameterException missing
                && !missing.getMissing().isEmpty()) {
            return missing(missing);
        }
        if (e instanceof OverwrittenOptionException twice && twice.getOverwritten() instanceof OptionSpec option) {
            return option.longestName() + " is given twice; give it once";
        }
        ArgSpec of = e.getArgSpec();
        String value = e.getValue();
        return of == null || value == null ? Plainly.told(e) : invalid(of, value, Plainly.told(e));
    }

    private static String unmatched(UnmatchedArgumentException e) {
        CommandLine at = e.getCommandLine();
        String word = e.getUnmatched().get(0);
        boolean option = word.startsWith("-");
        boolean root = at.getParent() == null;
        if (root && option) {
            List<String> commands = at.getSubcommands().entrySet().stream()
                    .filter(command -> command.getValue().getCommandSpec().findOption(name(word)) != null)
                    .map(Map.Entry::getKey)
                    .toList();
            if (!commands.isEmpty()) {
                return "put a command before " + name(word) + ", such as pollux " + commands.get(0) + " " + name(word);
            }
        }
        if (option) {
            String name = name(word);
            return "there is no option " + name
                    + (root ? "" : " of '" + at.getCommandSpec().qualifiedName() + "'")
                    + Closest.question(name, options(at.getCommandSpec()));
        }
        if (!at.getSubcommands().isEmpty()) {
            return "there is no command '" + word + "'"
                    + Closest.question(word, at.getSubcommands().keySet());
        }
        return "'" + word + "' is one argument too many; quote what belongs together";
    }

    /** Without a value behind an equals sign. */
    private static String name(String word) {
        int end = word.indexOf('=');
        return end < 0 ? word : word.substring(0, end);
    }

    private static List<String> options(CommandSpec spec) {
        List<String> names = new ArrayList<>();
        spec.options().forEach(option -> names.addAll(List.of(option.names())));
        return names;
    }

    private static String missing(MissingParameterException e) {
        ArgSpec first = e.getMissing().get(0);
        if (first instanceof OptionSpec option) {
            boolean given = String.valueOf(e.getMessage()).contains("parameter for option");
            return given
                    ? option.longestName() + " needs " + article(option.paramLabel()) + " after it"
                    : option.longestName() + " is missing; give " + option.longestName() + " " + option.paramLabel();
        }
        String names = PARAMETER
                .matcher(Plainly.told(e)) // which names all of them
                .results()
                .map(match -> match.group(1))
                .collect(Collectors.joining(" and "));
        String[] examples = e.getCommandLine().getCommandSpec().usageMessage().footer();
        return names + (names.contains(" and ") ? " are" : " is") + " missing"
                + (examples.length == 0 ? "" : "; for example: " + examples[0].strip());
    }

    private static String article(String label) {
        return (label.matches("[AEIO].*") ? "an " : "a ") + label;
    }

    private static String invalid(ArgSpec of, String value, String message) {
        String name = of instanceof OptionSpec option ? option.longestName() : of.paramLabel();
        Class<?> type = of.typeInfo().isMultiValue()
                ? of.typeInfo().getAuxiliaryTypes()[0]
                : of.typeInfo().getType();
        if (type.isEnum() && of.converters().length == 0) {
            List<String> values = Arrays.stream(type.getEnumConstants())
                    .map(constant -> String.valueOf(constant).toLowerCase(Locale.ROOT))
                    .toList();
            String last = values.get(values.size() - 1);
            return name + " must be " + String.join(", ", values.subList(0, values.size() - 1)) + " or " + last
                    + " but was '" + value + "'" + Closest.question(value, values);
        }
        if (of.typeInfo().isMultiValue() && of.paramLabel().contains("=")) {
            return name + " must be " + of.paramLabel() + " with numbers but was '" + value + "'";
        }
        if (type == int.class || type == Integer.class || type == long.class || type == Long.class) {
            return name + " must be a whole number but was '" + value + "'";
        }
        if (type == double.class || type == Double.class || type == float.class || type == Float.class) {
            return name + " must be a number but was '" + value + "'";
        }
        int rule = message.indexOf("': ");
        String said = rule < 0 ? message : message.substring(rule + 3);
        return said.startsWith("must ") ? name + " " + said : name + ": " + said;
    }
}
