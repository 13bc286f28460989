package dev.pollux.samples.cli;

import dev.pollux.inference.internal.JsonNode;
import java.io.ByteArrayInputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;

/** What a command line did: its exit code and what it wrote, in this process and without a terminal. */
record Run(int code, String out, String err) {

    static Run of(String... arguments) {
        return reading("", arguments);
    }

    /** With something to read on standard input. */
    static Run reading(String input, String... arguments) {
        StringWriter out = new StringWriter();
        return writing(commands(input), out, arguments);
    }

    static CommandLine commands(String input) {
        return Pollux.commandLine(
                new Terminal(new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)), false, false));
    }

    static Run writing(CommandLine commands, Writer out, String... arguments) {
        StringWriter err = new StringWriter();
        commands.setOut(new PrintWriter(out));
        commands.setErr(new PrintWriter(err));
        int code = commands.execute(arguments);
        commands.getOut().flush();
        commands.getErr().flush();
        return new Run(code, out.toString(), err.toString());
    }

    JsonNode json() {
        return JsonNode.parse(out);
    }
}
