package dev.pollux.samples.docs;

import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;

/**
 * Compiles {@code java} blocks against the class path of the tests.
 *
 * <p>A block that declares a type at the left margin is a compilation unit. Any other block is the body of a method that
 * may throw anything: its imports are lifted out, and {@code java.nio.file.*} and {@code java.util.*} are imported anyway.
 * A block below {@code <!-- continues -->} goes on where the block before it in the same file ended.
 */
final class JavaSnippets {

    private static final Pattern TYPE = Pattern.compile(
            "(?m)^(?:(?:public|final|sealed|abstract|@\\w+)\\s+)*(?:class|interface|record|enum|@interface)\\s+(\\w+)");
    private static final Pattern IMPORT = Pattern.compile("import (static )?[\\w.]+(\\.\\*)?;");

    private final Path output;
    private final JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();

    /** Writes class files below {@code output}. */
    JavaSnippets(Path output) {
        this.output = output;
    }

    /** Fails with the compiler's words and the block's place if the block does not compile after {@code before}. */
    void check(List<CodeBlock> before, CodeBlock block) {
        String unit = unit(before, block);
        DiagnosticCollector<JavaFileObject> diagnostics = new DiagnosticCollector<>();
        StringWriter rest = new StringWriter();
        boolean compiled = compiler.getTask(
                        rest,
                        null,
                        diagnostics,
                        List.of("-classpath", classPath(), "-d", output.toString(), "--release", "17", "-proc:none"),
                        null,
                        List.of(new Source(unit)))
                .call();
        if (!compiled) {
            String messages = diagnostics.getDiagnostics().stream()
                    .map(d -> "  " + d.getMessage(null) + " [in: " + line(unit, d.getLineNumber()) + "]")
                    .collect(Collectors.joining("\n"));
            throw new AssertionError(block.place() + " does not compile:\n" + messages + rest);
        }
    }

    private static String unit(List<CodeBlock> before, CodeBlock block) {
        if (TYPE.matcher(block.text()).find()) {
            return block.text();
        }
        StringBuilder imports = new StringBuilder("import java.nio.file.*;\nimport java.util.*;\n");
        StringBuilder body = new StringBuilder();
        List<CodeBlock> all = new ArrayList<>(before);
        all.add(block);
        all.stream().flatMap(b -> b.text().lines()).forEach(line -> {
            boolean isImport = IMPORT.matcher(line.strip()).matches();
            (isImport ? imports : body).append(line).append('\n');
        });
        return imports + "class Snippet {\nvoid run() throws Exception {\n" + body + "}\n}\n";
    }

    private static String line(String unit, long number) {
        return unit.lines().skip(Math.max(0, number - 1)).findFirst().orElse("").strip();
    }

    /** Surefire hides the class path behind one jar and names the real one here. */
    private static String classPath() {
        return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    }

    private static final class Source extends SimpleJavaFileObject {
        private final String text;

        Source(String text) {
            super(URI.create("string:///" + name(text) + ".java"), Kind.SOURCE);
            this.text = text;
        }

        private static String name(String text) {
            var type = TYPE.matcher(text);
            return type.find() ? type.group(1) : "Snippet";
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
        }
    }
}
