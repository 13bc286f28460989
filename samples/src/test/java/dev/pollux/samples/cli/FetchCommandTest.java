package dev.pollux.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.pollux.inference.hub.EmbeddedModel;
import dev.pollux.inference.internal.JsonNode;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models of the hub at the command line, from a hub on this machine that has the embedded model. */
class FetchCommandTest {

    private static final EmbeddedModel MODEL = EmbeddedModel.named("smollm2-135m-instruct");
    private static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";
    private static final String SPEC = "hf:owner/tiny:Q4_1";
    private static final Pattern RANGE = Pattern.compile("bytes=(\\d+)-(\\d+)");

    @TempDir
    Path temp;

    private final Path gguf = MODEL.unpack().run();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private HttpServer server;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/api/models/owner/tiny/revision/main", FetchCommandTest::describe);
        server.createContext("/owner/tiny/resolve/" + COMMIT + "/" + MODEL.file(), this::send);
        server.start();
        System.setProperty("pollux.hub.endpoint", url());
        System.setProperty("pollux.hub.cache", temp.toString());
    }

    @AfterEach
    void stop() {
        System.clearProperty("pollux.hub.endpoint");
        System.clearProperty("pollux.hub.cache");
        server.stop(0);
        threads.shutdownNow();
    }

    private String url() {
        return "http://localhost:" + server.getAddress().getPort();
    }

    private static void describe(HttpExchange exchange) throws IOException {
        byte[] body = """
                {"sha": "%s", "siblings": [
                  {"rfilename": "README.md", "size": 3, "blobId": "%s"},
                  {"rfilename": "%s", "size": %d, "lfs": {"sha256": "%s", "size": %d}}]}
                """.formatted(COMMIT, COMMIT, MODEL.file(), MODEL.bytes(), MODEL.sha256(), MODEL.bytes())
                .getBytes(StandardCharsets.UTF_8);
        try (exchange) {
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
        }
    }

    private void send(HttpExchange exchange) throws IOException {
        Matcher range = RANGE.matcher(exchange.getRequestHeaders().getFirst("Range"));
        assertThat(range.matches()).isTrue();
        long from = Long.parseLong(range.group(1));
        int length = Math.toIntExact(Long.parseLong(range.group(2)) + 1 - from);
        byte[] bytes = new byte[length];
        try (exchange;
                RandomAccessFile file = new RandomAccessFile(gguf.toFile(), "r")) {
            file.seek(from);
            file.readFully(bytes);
            exchange.getResponseHeaders()
                    .add("Content-Range", "bytes " + from + "-" + (from + length - 1) + "/" + MODEL.bytes());
            exchange.sendResponseHeaders(206, length);
            try (OutputStream out = exchange.getResponseBody()) {
                out.write(bytes);
            }
        }
    }

    private Path fetched() {
        return temp.resolve("models--owner--tiny/snapshots/" + COMMIT + "/" + MODEL.file());
    }

    @Test
    void aDryRunSaysWhatItWouldFetchAndFetchesNothing() throws IOException {
        Run run = Run.of("fetch", "--dry-run", SPEC);

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(run.out().lines())
                .containsExactly(
                        "repository            owner/tiny",
                        "revision              main",
                        "commit                " + COMMIT,
                        "path                  " + fetched(),
                        "to fetch              " + Texts.bytes(MODEL.bytes()) + " of " + Texts.bytes(MODEL.bytes()),
                        "  " + MODEL.file() + "  " + Texts.bytes(MODEL.bytes()));
        assertThat(temp).isEmptyDirectory();
    }

    @Test
    void fetchAsJsonHasEveryDocumentedKeyAndTheModelIsThere() throws IOException {
        Run run = Run.of("fetch", "--json", SPEC);

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        JsonNode json = run.json();
        assertThat(json.propertyNames())
                .containsExactly(
                        "repository", "revision", "commit", "path", "dryRun", "bytes", "missingBytes", "files");
        assertThat(json.path("path").asString()).isEqualTo(fetched().toString());
        assertThat(json.path("missingBytes").asLong()).isEqualTo(MODEL.bytes());
        assertThat(json.path("files")).hasSize(1);
        assertThat(json.path("files").get(0).propertyNames()).containsExactly("path", "bytes", "hash", "presentBytes");
        assertThat(json.path("files").get(0).path("hash").asString()).isEqualTo(MODEL.sha256());
        assertThat(Files.mismatch(fetched(), gguf)).isEqualTo(-1);
        assertThat(Run.of("fetch", SPEC).out()).contains("nothing: all is there", MODEL.file() + "  ", ", was there");
    }

    @Test
    void aModelOfTheHubIsTakenWhereverAModelIs() {
        Run run = Run.of("inspect", "--json", SPEC);

        assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
        assertThat(run.json().path("path").asString()).isEqualTo(fetched().toString());
        assertThat(run.json().path("kind").asString()).isEqualTo("checkpoint");
        server.stop(0);
        Run offline = Run.of("fetch", "--offline", "--json", SPEC);
        assertThat(offline.code()).as(offline.err()).isEqualTo(ExitCode.OK);
        assertThat(offline.json().path("missingBytes").asLong()).isZero();
    }

    @Test
    void whatIsWrongIsSaid() {
        assertThat(Run.of("fetch", "owner/tiny").code()).isEqualTo(ExitCode.USAGE);
        assertThat(Run.of("fetch", "owner/tiny").err())
                .startsWith("pollux: A model of the hub must be written hf:owner/name, ");
        assertThat(Run.of("fetch", "--include", "*.gguf", SPEC).code()).isEqualTo(ExitCode.USAGE);
        Run unknown = Run.of("fetch", "hf:no/such");
        assertThat(unknown.code()).isEqualTo(ExitCode.ERROR);
        assertThat(unknown.out()).isEmpty();
        assertThat(unknown.err())
                .startsWith("pollux: There is no model no/such at " + url() + ", or it is private; check the name");
        assertThat(Run.of("fetch", "--include", "*.bin", "hf:owner/tiny").err())
                .startsWith("pollux: No file of owner/tiny matches *.bin; it holds README.md, " + MODEL.file());
        assertThat(Run.of(
                                "fetch",
                                "--offline",
                                "--hub-cache",
                                temp.resolve("none").toString(),
                                SPEC)
                        .err())
                .startsWith(
                        "pollux: Cannot get owner/tiny@main: hub access is switched off (offline), and it is not in the"
                                + " cache at " + temp.resolve("none"));
    }
}
