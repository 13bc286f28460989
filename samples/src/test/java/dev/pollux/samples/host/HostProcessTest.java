package dev.pollux.samples.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.pollux.embedding.TextRole;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.Prompt;
import dev.pollux.inference.encoder.OnnxEmbedder;
import dev.pollux.inference.engine.EngineOptions;
import dev.pollux.inference.engine.OnnxGenerator;
import dev.pollux.inference.hub.EmbeddedModel;
import dev.pollux.samples.cli.Pollux;
import dev.pollux.testkit.TinyDecoder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What Pollux leaves behind, says and asks for in a process that knows nothing of it: a home without a cache, no CI. */
class HostProcessTest {

    private static final int COMMAND_LINE = 20_000;
    private static final int MINUTES = 10;
    private static final int FIRST_JDK_WITH_FLAGS = 24;
    /** What goes to the network or looks up a name. The JVM makes sockets, to see which kinds there are, and uses none. */
    private static final Pattern NETWORK = Pattern.compile(
            "(connect|bind|sendto|sendmsg)\\(.*AF_INET|SOCK_DGRAM.*IPPROTO|AF_NETLINK|resolv\\.conf|/etc/hosts");

    private static final String CALLS = "trace=socket,connect,bind,sendto,sendmsg,openat";

    private static final Path MODELS =
            Path.of(System.getProperty("pollux.cache", "target/pollux-cache")).toAbsolutePath();

    @TempDir
    Path temp;

    /** Opens an embedder and a generator, and says which properties are not as they were. */
    static final class Guest {

        private Guest() {}

        public static void main(String[] arguments) {
            Map<Object, Object> before = new TreeMap<>(System.getProperties());
            Path model = EmbeddedModel.named("smollm2-135m-instruct")
                    .unpack(Path.of(arguments[0]))
                    .run();
            EngineOptions options =
                    EngineOptions.builder().cache(Path.of(arguments[0])).build();
            try (OnnxEmbedder embedder = OnnxEmbedder.bundled();
                    OnnxGenerator generator = OnnxGenerator.open(model, options)) {
                embedder.embed(List.of("two twins"), TextRole.QUERY);
                generator.generate(
                        Prompt.text("The sea is"),
                        GenerationOptions.builder().maxTokens(2).build());
            }
            Map<Object, Object> after = new TreeMap<>(System.getProperties());
            System.out.println(after.equals(before) ? "properties as before" : "properties changed: " + after);
        }
    }

    private record Ended(int exit, List<String> out, List<String> err) {}

    @BeforeEach
    void freshFolders() throws IOException {
        for (String folder : List.of("home", "cache", "temporary")) {
            Files.createDirectories(temp.resolve(folder));
        }
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void aHostIsLeftAsItWas(Path jdk) throws Exception {
        Ended guest = run(guest(jdk));

        assertThat(guest.err()).isEmpty();
        assertThat(guest.out()).containsExactly("properties as before");
        assertThat(guest.exit()).isZero();
        assertThat(foreign()).isEmpty();
    }

    @Test
    void nothingIsUnpackedTwiceOrLeftByTwoProcessesAtOnce() throws Exception {
        Process first = start(guest(current()), "first");
        Process second = start(guest(current()), "second");

        assertThat(ended(first, "first").exit()).isZero();
        assertThat(ended(second, "second").exit()).isZero();
        List<Path> unpacked = files(temp.resolve("cache/pollux/natives"));
        assertThat(unpacked)
                .doesNotHaveDuplicates()
                .noneMatch(file -> file.toString().endsWith(".part"));
        Map<Path, Object> times = new TreeMap<>();
        for (Path file : unpacked) {
            times.put(file, Files.getAttribute(file, "lastModifiedTime"));
        }
        assertThat(run(guest(current())).exit()).isZero();
        assertThat(files(temp.resolve("cache/pollux/natives"))).isEqualTo(unpacked);
        for (Path file : unpacked) {
            assertThat(Files.getAttribute(file, "lastModifiedTime")).isEqualTo(times.get(file));
        }
    }

    @Test
    void nothingIsConnectedToAndNoNameLookedUp() throws Exception {
        Path trace = temp.resolve("trace");
        List<String> strace = List.of("strace", "-f", "-qq", "-o", trace.toString(), "-e", CALLS);
        assumeTrue(runs(strace), "strace is not here, or may not trace");
        List<String> command = new ArrayList<>(strace);
        command.addAll(guest(current()));

        assertThat(run(command).exit()).isZero();

        try (Stream<String> calls = Files.lines(trace, StandardCharsets.ISO_8859_1)) {
            assertThat(calls.filter(call -> NETWORK.matcher(call).find())).isEmpty();
        }
        try (Stream<String> calls = Files.lines(trace, StandardCharsets.ISO_8859_1)) {
            assertThat(calls.filter(call -> call.contains("O_CREAT"))
                            .filter(call -> !call.contains("\"" + temp) && !call.contains("\"" + MODELS)))
                    .isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"absent", "/proc"})
    void aTemporaryFolderThatIsAbsentOrCannotBeWrittenIsNotNeeded(String folder) throws Exception {
        Path temporary = temp.resolve(folder);
        assumeTrue(!temporary.startsWith("/proc") || Files.isDirectory(temporary), "there is no /proc");
        List<String> command = guest(current());
        command.replaceAll(
                argument -> argument.startsWith("-Djava.io.tmpdir=") ? "-Djava.io.tmpdir=" + temporary : argument);

        Ended guest = run(command);

        assertThat(guest.err()).allMatch(line -> line.contains("java.io.tmpdir")); // newer JVMs miss it themselves
        assertThat(guest.out()).containsExactly("properties as before");
        assertThat(guest.exit()).isZero();
    }

    @Test
    void theCacheOfACommandHoldsAllThatIsKept() throws Exception {
        Path cache = temp.resolve("home/own");

        Ended ended = run(pollux(
                current(),
                List.of(
                        "search",
                        "--cache",
                        cache.toString(),
                        "--docs",
                        documents().toString(),
                        "Which colour?")));

        assertThat(ended.exit()).as(ended.err().toString()).isZero();
        assertThat(cache.resolve("natives")).isDirectoryContaining("glob:**/onnxruntime");
        assertThat(foreign()).isNotEmpty().allMatch(path -> path.startsWith(cache));
        assertThat(temp.resolve("cache")).isEmptyDirectory();
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void theCommandLineSaysOnlyWhatIsItsOwn(Path jdk) throws Exception {
        for (List<String> arguments : commands()) {
            List<String> command = pollux(jdk, arguments);
            command.add(command.indexOf(Pollux.class.getName()), "-Dpollux.cache=" + MODELS);

            Ended ended = run(command);

            assertThat(ended.err())
                    .as(String.join(" ", arguments))
                    .allMatch(line -> line.isEmpty() || line.startsWith("pollux: "));
            assertThat(ended.exit()).as(String.join(" ", arguments)).isZero();
        }
    }

    /** Commands in their normal use. */
    private List<List<String>> commands() throws IOException {
        String documents = documents().toString();
        String bundled = EmbeddedModel.named("smollm2-135m-instruct")
                .unpack(MODELS)
                .run()
                .toString();
        Path models = Files.createDirectories(temp.resolve("models"));
        Path base = TinyDecoder.llama(1).write(models.resolve("base"));
        TinyDecoder.llama(1).tuned(2, 0.01).write(models.resolve("tuned"));
        Path plan = Files.writeString(
                temp.resolve("plan.yml"),
                "models: [{model: tuned, parameters: {weight: 1}}]\nbase_model: base\nmerge_method: task_arithmetic\n");
        String question = "Which colour does the sea have?";
        return List.of(
                List.of("search", "--docs", documents, question),
                List.of("ask", "--docs", documents, question),
                List.of("ingest", "--docs", documents, "--knowledge", temp + "/knowledge"),
                List.of("chat", "--max-tokens", "2"),
                List.of("chat", "--docs", documents, "--max-tokens", "2"),
                List.of("generate", "--raw", "--max-tokens", "2", "The sea is"),
                List.of("inspect", bundled),
                List.of("export", base.toString(), temp + "/exported"),
                List.of("merge", "--models", models.toString(), plan.toString(), temp + "/merged"));
    }

    private Path documents() throws IOException {
        Path documents = Files.createDirectories(temp.resolve("documents"));
        Files.writeString(documents.resolve("sea.md"), "# The sea\n\nThe sea is deep and blue.\n");
        return documents;
    }

    /** The command line, with the flag that the manifest of its jar gives. */
    private List<String> pollux(Path jdk, List<String> arguments) {
        List<String> command = java(jdk, feature(jdk) < FIRST_JDK_WITH_FLAGS ? 0 : 1);
        command.add(Pollux.class.getName());
        command.addAll(arguments);
        return command;
    }

    /** The JDK of this build and, where one is near, a JDK of the next long-term release. */
    static List<Path> jdks() {
        List<Path> found = new ArrayList<>(List.of(current()));
        Path near = current().toAbsolutePath().normalize().getParent();
        try (Stream<Path> neighbours = near == null ? Stream.empty() : Files.list(near)) {
            neighbours
                    .sorted()
                    .filter(jdk -> feature(jdk) >= FIRST_JDK_WITH_FLAGS && feature(current()) < FIRST_JDK_WITH_FLAGS)
                    .findFirst()
                    .ifPresent(found::add);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return found;
    }

    private static Path current() {
        return Path.of(System.getProperty("java.home"));
    }

    private static int feature(Path jdk) {
        Path release = jdk.resolve("release");
        if (!Files.isExecutable(jdk.resolve("bin/java")) || !Files.isRegularFile(release)) {
            return 0;
        }
        try (Stream<String> lines = Files.lines(release)) {
            return lines.filter(line -> line.startsWith("JAVA_VERSION=\""))
                    .map(line -> line.replaceAll("^JAVA_VERSION=\"(\\d+).*", "$1"))
                    .mapToInt(Integer::parseInt)
                    .findFirst()
                    .orElse(0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A command of Java with as many of a host's two flags; what the command line's jar says for itself is the first. */
    private List<String> java(Path jdk, int flags) {
        List<String> both = List.of("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow");
        List<String> command = new ArrayList<>(List.of(jdk.resolve("bin/java").toString()));
        command.addAll(both.subList(0, flags));
        command.addAll(List.of(
                "-XX:-UsePerfData",
                "-Duser.home=" + temp.resolve("home"),
                "-Djava.io.tmpdir=" + temp.resolve("temporary"),
                "-cp",
                System.getProperty("java.class.path")));
        return command;
    }

    private List<String> guest(Path jdk) {
        List<String> command = java(jdk, feature(jdk) < FIRST_JDK_WITH_FLAGS ? 0 : 2);
        command.addAll(List.of(Guest.class.getName(), MODELS.toString(), "x".repeat(COMMAND_LINE)));
        return command;
    }

    private static boolean runs(List<String> strace) throws InterruptedException {
        List<String> command = new ArrayList<>(strace);
        command.add("true");
        try {
            return new ProcessBuilder(command)
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false;
        }
    }

    private Ended run(List<String> command) throws IOException, InterruptedException {
        return ended(start(command, "only"), "only");
    }

    private Process start(List<String> command, String name) throws IOException {
        Path input = Files.writeString(temp.resolve(name + ".in"), "Which colour does the sea have?\n");
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectInput(input.toFile())
                .redirectOutput(temp.resolve(name + ".out").toFile())
                .redirectError(temp.resolve(name + ".err").toFile());
        Map<String, String> environment = builder.environment();
        environment.keySet().retainAll(List.of("PATH", "LANG"));
        environment.put("HOME", temp.resolve("home").toString());
        environment.put("XDG_CACHE_HOME", temp.resolve("cache").toString());
        environment.put("TMPDIR", temp.resolve("temporary").toString());
        return builder.start();
    }

    private Ended ended(Process process, String name) throws IOException, InterruptedException {
        assertThat(process.waitFor(MINUTES, TimeUnit.MINUTES)).isTrue();
        return new Ended(
                process.exitValue(),
                Files.readAllLines(temp.resolve(name + ".out")),
                Files.readAllLines(temp.resolve(name + ".err")));
    }

    /** What is in home, cache and temporary folder but is not in Pollux's cache. */
    private List<Path> foreign() throws IOException {
        List<Path> found = new ArrayList<>();
        for (String folder : List.of("home", "cache", "temporary")) {
            try (Stream<Path> all = Files.walk(temp.resolve(folder))) {
                all.filter(path -> !path.equals(temp.resolve(folder)) && !path.startsWith(temp.resolve("cache/pollux")))
                        .forEach(found::add);
            }
        }
        return found;
    }

    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            return all.filter(Files::isRegularFile).sorted().toList();
        }
    }
}
