package dev.pollux.samples.cli;

import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Model.CommandSpec;

/** The library's names of settings, as a person types them: {@code topK must be} becomes {@code --top-k must be}. */
final class OptionNames {

    private static final Pattern SETTING = Pattern.compile("^([a-z]+(?:[A-Z][a-z]*)*)(?= (?:must|is|cannot) )");

    /** Where the two differ. */
    private static final Map<String, String> OTHERS = Map.of(
            "lockTimeout",
            "--wait",
            "documents",
            "--docs",
            "windowLength",
            "--window-tokens",
            "blockSize",
            "--block",
            "calibration",
            "--calibrate");

    private OptionNames() {}

    /** A message that begins with the name of a setting, with the option of the command that sets it. */
    static String spelled(String message, CommandSpec command) {
        Matcher setting = SETTING.matcher(message);
        if (!setting.find()) {
            return message;
        }
        String name = setting.group(1);
        String kebab = "--" + name.replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
        String option = OTHERS.getOrDefault(name, kebab);
        return command.findOption(option) == null ? message : option + message.substring(setting.end());
    }
}
