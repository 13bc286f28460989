package dev.pollux.inference.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpHandler;
import dev.pollux.MalformedFileException;
import dev.pollux.PolluxException;
import dev.pollux.StorageException;
import dev.pollux.UnsupportedModelException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Fetching from a hub that misbehaves, or where something else is wrong. */
class ModelHubErrorsTest extends HubTestCase {

    private static final String INFO = "/api/models/owner/name/revision/main";

    private AbstractThrowableAssert<?, ? extends Throwable> fails(
            Class<? extends PolluxException> type, ModelHub.Builder builder) {
        return assertThatThrownBy(() -> listened(builder.build().fetch(SPEC)).run())
                .isInstanceOf(type);
    }

    private AbstractThrowableAssert<?, ? extends Throwable> fails(Class<? extends PolluxException> type) {
        return fails(type, builder());
    }

    @Test
    void anUnknownRepositoryIsNamedAndLeavesNothing() throws IOException {
        assertThatThrownBy(() -> fetch("hf:no/such"))
                .isInstanceOf(StorageException.class)
                .hasMessage("There is no model no/such at " + server.url()
                        + ", or it is private; check the name, and for a private one set HF_TOKEN");
        assertThat(cache).doesNotExist();
    }

    @Test
    void anUnknownRepositoryToSomeoneUnknownIsAnsweredAsOneThatIsPrivate() {
        server.always(INFO, FakeHub.status(401, "X-Error-Code", "RepoNotFound"));

        fails(StorageException.class)
                .hasMessage("There is no model owner/name at " + server.url()
                        + ", or it is private; check the name, and for a private one set HF_TOKEN");
    }

    @Test
    void anUnknownRevisionIsNamedAndLeavesNothing() throws IOException {
        model(10);

        assertThatThrownBy(() -> fetch(SPEC + "@v9"))
                .isInstanceOf(StorageException.class)
                .hasMessage("owner/name has no revision 'v9'; give one of its branches, tags or commits, such as"
                        + " owner/name@main");
        assertThat(cache).doesNotExist();
    }

    @Test
    void aMirrorThatSaysOnlyNotFoundIsAskedWhatIt() {
        server.always("/api/models/owner/name/revision/v9", FakeHub.status(404));
        assertThatThrownBy(() -> fetch(SPEC + "@v9")).hasMessageStartingWith("owner/name has no revision 'v9'; ");

        server.always("/api/models/owner/name", FakeHub.status(404));
        assertThatThrownBy(() -> fetch(SPEC + "@v9")).hasMessageStartingWith("There is no model owner/name at ");
    }

    @Test
    void aGatedModelSaysWhatToDo() {
        server.always(
                INFO, FakeHub.status(401, "X-Error-Code", "GatedRepo", "X-Error-Message", "Access is restricted."));

        fails(StorageException.class)
                .hasMessage(
                        "owner/name is gated: accept its terms at " + server.url() + "/owner/name and set HF_TOKEN to a"
                                + " token of an account that may read it (the server answered 401 (Access is restricted.))");
        fails(StorageException.class, builder().token("hf_secret"))
                .hasMessage(
                        "owner/name is gated: accept its terms at " + server.url() + "/owner/name and use a token of"
                                + " an account that may read it; the one that is set may not (the server answered 401 (Access is"
                                + " restricted.))");
    }

    @Test
    void aModelWhoseListIsOpenAndWhoseFilesAreGatedSaysSoToo() throws IOException {
        model(10);
        server.always("model.safetensors", FakeHub.status(403, "X-Error-Code", "GatedRepo"));

        fails(StorageException.class).hasMessageStartingWith("owner/name is gated: accept its terms at ");
        assertThat(snapshot()).doesNotExist();
    }

    @Test
    void anUnauthorizedRequestMayBeForNoModelAtAll() {
        server.always(INFO, FakeHub.status(401, "X-Error-Message", "Invalid credentials in Authorization header"));

        fails(StorageException.class, builder().token("hf_old"))
                .hasMessage("owner/name does not exist or is not open to everyone: check the name, or use a token of an"
                        + " account that may read it; the one that is set may not (the server answered 401 (Invalid"
                        + " credentials in Authorization header))");
    }

    @Test
    void aForbiddenModelSaysSo() {
        server.always(INFO, FakeHub.status(403));

        fails(StorageException.class)
                .hasMessage("owner/name is not open to everyone: set HF_TOKEN to a token of an account that may read it"
                        + " (the server answered 403)");
    }

    @Test
    void withoutANetworkAndWithoutACacheTheServerIsNamed() {
        String url = server.url();
        server.close();

        fails(StorageException.class)
                .hasMessageStartingWith("Cannot get owner/name@main: cannot connect to " + url)
                .hasMessageEndingWith(", and it is not in the cache at " + cache
                        + "; check the network, the proxy and the" + " endpoint or give the cache that has it");
    }

    @Test
    void anUnknownHostIsNoNetwork() {
        fails(StorageException.class, builder().endpoint("http://host.invalid"))
                .hasMessageStartingWith("Cannot get owner/name@main: cannot connect to http://host.invalid: ");
    }

    @Test
    void offlineAndNotInTheCacheSaysBoth() throws IOException {
        fails(StorageException.class, builder().offline(true))
                .hasMessage(
                        "Cannot get owner/name@main: hub access is switched off (offline), and it is not in the cache"
                                + " at " + cache + "; unset HF_HUB_OFFLINE or give the cache that has it");
        assertThat(cache).doesNotExist();
        assertThat(server.requests).isEmpty();
    }

    @Test
    void offlineAndOnlyPartlyInTheCacheSaysWhatIsThere() {
        model(10);
        fetch(SPEC + ":*.json");

        fails(StorageException.class, builder().offline(true))
                .hasMessageStartingWith(
                        "Cannot get owner/name@main: hub access is switched off (offline), and of it the"
                                + " cache has not what is asked for: owner/name holds neither model.safetensors (or its shards) nor"
                                + " a GGUF file but config.json, tokenizer.json; ");
    }

    /** Breaks the connection when {@code sent} has reached the disk: what is on its way then may be lost, or not. */
    private HttpHandler broken(int status, int length, byte[] sent, byte[] whole, String... headers) {
        return exchange -> {
            for (int i = 0; i < headers.length; i += 2) {
                exchange.getResponseHeaders().add(headers[i], headers[i + 1]);
            }
            exchange.sendResponseHeaders(status, length);
            exchange.getResponseBody().write(sent);
            exchange.getResponseBody().flush();
            Path incomplete = blob(FakeHub.sha256(whole) + ".incomplete");
            while (!Files.exists(incomplete) || Files.size(incomplete) < sent.length) {
                Thread.onSpinWait();
            }
        };
    }

    @Test
    void aBodyThatEndsEarlyIsContinued() {
        byte[] weights = model(3 * RANGE);
        server.next(
                "model.safetensors",
                broken(
                        206,
                        RANGE,
                        Arrays.copyOf(weights, 4000),
                        weights,
                        "Content-Range",
                        "bytes 0-9999/" + weights.length));

        assertThat(fetch(SPEC).resolve("model.safetensors")).hasBinaryContent(weights);
        assertThat(notices).hasSize(1);
        assertThat(notices.get(0)).startsWith("model.safetensors: ").endsWith("; trying again in 1 s (1 of 5)");
        assertThat(server.requests).extracting(FakeHub.Request::range).contains("bytes=4000-13999");
    }

    @Test
    void aBodyThatAlwaysEndsEarlyFailsInTheEndAndIsKept() throws IOException {
        byte[] weights = model(100);
        server.next("model.safetensors", broken(200, 100, Arrays.copyOf(weights, 60), weights));
        server.always("model.safetensors", FakeHub.body(206, 40, new byte[0], "Content-Range", "bytes 60-99/100"));

        fails(StorageException.class, builder().retries(2))
                .hasMessageStartingWith("Cannot get model.safetensors of owner/name@main from " + server.url() + ": ")
                .hasMessageEndingWith("; tried 3 times; what has come is kept, fetch it again to go on from there");
        assertThat(blob(FakeHub.sha256(weights))).doesNotExist();
        assertThat(blob(FakeHub.sha256(weights) + ".incomplete")).hasBinaryContent(Arrays.copyOf(weights, 60));
        assertThat(snapshot()).doesNotExist();
        assertThat(folder().resolve("refs")).doesNotExist();
    }

    @Test
    void aChunkedBodyThatEndsEarlyIsNoticed() {
        byte[] weights = model(100);
        server.next("model.safetensors", FakeHub.body(200, 0, Arrays.copyOf(weights, 60)));

        assertThat(fetch(SPEC).resolve("model.safetensors")).hasBinaryContent(weights);
        assertThat(notices)
                .containsExactly(
                        "model.safetensors: the server ended after 60 of 100 bytes; trying again in 1 s (1 of" + " 5)");
    }

    @ParameterizedTest
    @ValueSource(ints = {99, 101})
    void aServerThatLiesAboutTheLengthIsCaught(int length) throws IOException {
        byte[] weights = model(100);
        server.always("model.safetensors", FakeHub.body(200, length, new byte[length]));

        fails(MalformedFileException.class)
                .hasMessage("The server says that model.safetensors has 100 bytes, but gives its length as " + length
                        + "; what came was discarded, use another endpoint");
        assertThat(left()).noneMatch(path -> path.contains(FakeHub.sha256(weights)));
        assertThat(snapshot()).doesNotExist();
    }

    @Test
    void aServerThatSendsWithoutEndIsCaught() throws IOException {
        byte[] weights = model(100);
        server.always("model.safetensors", exchange -> {
            exchange.sendResponseHeaders(200, 0);
            try (OutputStream out = exchange.getResponseBody()) {
                while (true) {
                    out.write(new byte[1 << 16]);
                }
            }
        });

        fails(MalformedFileException.class)
                .hasMessage("The server says that model.safetensors has 100 bytes, but sends more than 100 bytes; what"
                        + " came was discarded, use another endpoint");
        assertThat(left()).noneMatch(path -> path.contains(FakeHub.sha256(weights)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"bytes 1-10000/30000", "bytes 0-9999/31000", "bytes 0-10000/30000", "nonsense", ""})
    void aServerThatAnswersAnotherRangeIsCaught(String range) throws IOException {
        byte[] weights = model(3 * RANGE);
        server.always("model.safetensors", FakeHub.body(206, RANGE, new byte[RANGE], "Content-Range", range));

        fails(MalformedFileException.class)
                .hasMessage("The server says that model.safetensors has 30000 bytes, but answers bytes=0-9999 with '"
                        + range + "'; what came was discarded, use another endpoint");
        assertThat(left()).noneMatch(path -> path.contains(FakeHub.sha256(weights)));
    }

    @Test
    void aServerThatIgnoresRangesIsReadInOneStream() throws IOException {
        byte[] weights = model(3 * RANGE);
        Path incomplete = blob(FakeHub.sha256(weights) + ".incomplete");
        Files.createDirectories(incomplete.getParent());
        Files.write(incomplete, Arrays.copyOf(weights, 12_345));
        server.always("model.safetensors", FakeHub.body(200, weights.length, weights));

        assertThat(fetch(SPEC).resolve("model.safetensors")).hasBinaryContent(weights);
        assertThat(server.gets("model.safetensors")).isOne();
        assertThat(notices)
                .containsExactly(
                        "model.safetensors: the server ignores ranges, so it begins again from the first byte");
    }

    @Test
    void aServerThatForgetsRangesOnItsWayIsReadAnew() {
        byte[] weights = model(3 * RANGE);
        server.next("model.safetensors", server::answer);
        server.always("model.safetensors", FakeHub.body(200, weights.length, weights));

        assertThat(fetch(SPEC).resolve("model.safetensors")).hasBinaryContent(weights);
        assertThat(notices.get(0))
                .startsWith("model.safetensors: the server answered 200 to bytes=10000-19999; trying again");
    }

    @Test
    void aWrongHashIsRefusedAndLeavesNothing() throws IOException {
        byte[] weights = model(100);
        byte[] other = random(101);
        byte[] wrong = Arrays.copyOf(other, 100);
        server.always("model.safetensors", FakeHub.body(200, 100, wrong));

        fails(MalformedFileException.class)
                .hasMessage("model.safetensors of owner/name must have 100 bytes and SHA-256 " + FakeHub.sha256(weights)
                        + " but has 100 and " + FakeHub.sha256(wrong) + "; it was discarded, fetch it again");
        assertThat(left()).noneMatch(path -> path.contains(FakeHub.sha256(weights)));
        assertThat(snapshot()).doesNotExist();
    }

    @Test
    void aSmallFileIsHeldToGitsHash() throws IOException {
        model(10);
        server.always("tokenizer.json", FakeHub.body(200, 2, new byte[] {'[', ']'}));

        fails(MalformedFileException.class)
                .hasMessage("tokenizer.json of owner/name must have 2 bytes and git SHA-1 "
                        + FakeHub.gitSha1(new byte[] {'{', '}'}) + " but has 2 and "
                        + FakeHub.gitSha1(new byte[] {'[', ']'}) + "; it was discarded, fetch it again");
    }

    @Test
    void aFileWithoutAHashIsRefused() {
        model(10);
        server.described.put("model.safetensors", Map.of("rfilename", "model.safetensors", "size", 10));
        server.always("model.safetensors", FakeHub.status(200, "X-Linked-Size", "10", "ETag", "\"../../evil\""));

        fails(MalformedFileException.class)
                .hasMessage(
                        "The server says of model.safetensors of owner/name the hash '../../evil', and it must say a"
                                + " size of at most 64 TiB and a SHA-256 or git SHA-1; use another endpoint");
    }

    @Test
    void aSizeThatNoSumCanHoldIsRefused() {
        String hash = FakeHub.sha256(model(10));
        server.described.put(
                "model.safetensors",
                Map.of("rfilename", "model.safetensors", "lfs", Map.of("sha256", hash, "size", Long.MAX_VALUE)));
        server.always("model.safetensors", FakeHub.status(200, "X-Linked-Size", "999999999999999999", "ETag", hash));

        fails(MalformedFileException.class)
                .hasMessage(
                        "The server says of model.safetensors of owner/name 999999999999999999 bytes, and it must say a"
                                + " size of at most 64 TiB and a SHA-256 or git SHA-1; use another endpoint");
    }

    @Test
    void aRedirectInACircleEnds() {
        model(10);
        server.always("model.safetensors", FakeHub.status(302, "Location", "/circle"));
        server.always("/circle", FakeHub.status(302, "Location", "/circle?again"));
        server.always("/circle?again", FakeHub.status(302, "Location", "/circle"));

        String file = server.url() + "/owner/name/resolve/" + FakeHub.COMMIT + "/model.safetensors";
        fails(StorageException.class)
                .hasMessage(file + " redirects in a circle, by " + server.url()
                        + "/circle?again; ask whoever runs the server, or use another endpoint");
    }

    @Test
    void endlessRedirectsEnd() {
        server.always(INFO, exchange -> {
            String query = String.valueOf(exchange.getRequestURI().getQuery());
            FakeHub.status(302, "Location", INFO + "?" + query + "a").handle(exchange);
        });

        fails(StorageException.class)
                .hasMessage(
                        server.url() + INFO + "?blobs=true redirects more than 10 times; ask whoever runs the server,"
                                + " or use another endpoint");
        assertThat(server.requests).hasSize(11);
    }

    @ParameterizedTest
    @ValueSource(strings = {"file:///etc/passwd", "ftp://localhost/x", "http://", "::", ""})
    void aRedirectToNoWebAddressIsRefused(String location) {
        server.always(INFO, FakeHub.status(302, "Location", location));

        fails(StorageException.class)
                .hasMessage(server.url() + INFO + "?blobs=true redirects to '" + location
                        + "', which must be an https address or an http one; ask whoever runs the server, or use another"
                        + " endpoint");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "../evil.json",
                "/etc/evil.json",
                "a/../../evil.json",
                "a//evil.json",
                "./evil.json",
                "..\\evil.json",
                "C:/evil.json",
                "．．/evil.json",
                "a／..／evil.json",
                ""
            })
    void aPathThatLeadsOutOfTheRepositoryIsRefusedWithTheWholeList(String path) {
        model(10);
        server.put(path, "evil");

        fails(MalformedFileException.class)
                .hasMessageStartingWith(
                        "The file list of owner/name has the path '" + RepositoryPath.shown(path) + "': it")
                .hasMessageEndingWith("; nothing of it is used");
        assertThat(cache).doesNotExist();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "1_Pooling\u202e/config.json",
                "con.json",
                "file:b.json",
                "Config.json",
                "config.json/x.json",
                "trailing.json.",
                "nul\u0000.json"
            })
    void aPathThatIsNoPlainFileIsRefusedWhereItIsWanted(String path) {
        model(10);
        server.put(path, "evil");

        assertThat(fetch(SPEC)).isDirectory();
        assertThatThrownBy(() -> fetch(SPEC + ":*json*"))
                .isInstanceOf(MalformedFileException.class)
                .hasMessageStartingWith("The file list of owner/name has the path '");
    }

    @Test
    void aDescriptionWithoutEndIsRefused() {
        server.always(INFO, exchange -> {
            exchange.sendResponseHeaders(200, 0);
            try (OutputStream out = exchange.getResponseBody()) {
                while (true) {
                    out.write(new byte[1 << 16]);
                }
            }
        });

        fails(MalformedFileException.class)
                .hasMessage("The answer of " + server.url() + INFO
                        + " must have at most 16777216 bytes but has more; use another endpoint");
    }

    @Test
    void aDescriptionThatIsNoJsonIsRefused() {
        server.always(INFO, FakeHub.body(200, 6, "<html>".getBytes(StandardCharsets.UTF_8)));
        fails(MalformedFileException.class)
                .hasMessageStartingWith("The description of owner/name@main is not JSON: ")
                .hasMessageEndingWith("; check the endpoint");

        server.always(
                INFO,
                FakeHub.body(200, 14, "{\"sha\": \"../x\"}".substring(0, 14).getBytes(StandardCharsets.UTF_8)));
        fails(MalformedFileException.class).hasMessageContaining("is not JSON");

        server.always(INFO, FakeHub.body(200, 15, "{\"sha\": \"../x\"}".getBytes(StandardCharsets.UTF_8)));
        fails(MalformedFileException.class)
                .hasMessage("The description of owner/name@main must have a commit 'sha' and a list 'siblings' but has"
                        + " '../x' and absent; check the endpoint");
    }

    @Test
    void aNestedDescriptionIsRefused() {
        byte[] deep = "[".repeat(100_000).getBytes(StandardCharsets.UTF_8);
        server.always(INFO, FakeHub.body(200, deep.length, deep));

        fails(MalformedFileException.class).hasMessageStartingWith("The description of owner/name@main is not JSON: ");
    }

    @Test
    void aDiskThatIsTooSmallIsNoticedBeforeTheFirstByte() throws IOException {
        model(3 * RANGE);
        FileSystemAndClock small = new Fast() {
            @Override
            public long freeBytes(Path folder) {
                return 1000;
            }
        };

        fails(StorageException.class, builder().surroundings(small))
                .hasMessage("owner/name@main needs 30025 bytes at " + cache
                        + " but 1000 are free; free some, or name another" + " cache by HF_HUB_CACHE");
        assertThat(cache).doesNotExist();
        assertThat(server.requests).hasSize(1);
    }

    @Test
    void aDiskThatFillsUpIsNamedAndTheBeginningIsKept() throws IOException {
        byte[] weights = model(3 * RANGE);
        FileSystemAndClock full = new Fast() {
            @Override
            public SeekableByteChannel open(Path file) throws IOException {
                return file.toString().contains(FakeHub.sha256(weights))
                        ? new FullDisk(super.open(file), 5000)
                        : super.open(file);
            }
        };
        Path incomplete = blob(FakeHub.sha256(weights) + ".incomplete");

        fails(StorageException.class, builder().surroundings(full))
                .hasMessage(
                        "Cannot write " + incomplete + ": No space left on device; free some space, then fetch again to"
                                + " go on where it ended, or delete that file");
        assertThat(incomplete).hasBinaryContent(Arrays.copyOf(weights, 5000));
        assertThat(snapshot()).doesNotExist();
        assertThat(fetch(SPEC).resolve("model.safetensors")).hasBinaryContent(weights);
    }

    /** A disk with room for {@code room} bytes. */
    private record FullDisk(SeekableByteChannel channel, long room) implements SeekableByteChannel {
        @Override
        public int write(ByteBuffer source) throws IOException {
            long left = room - channel.position();
            if (left == 0) {
                throw new IOException("No space left on device");
            }
            ByteBuffer some = source.duplicate();
            some.limit((int) Math.min(some.limit(), some.position() + left));
            int written = channel.write(some);
            source.position(source.position() + written);
            return written;
        }

        @Override
        public int read(ByteBuffer target) throws IOException {
            return channel.read(target);
        }

        @Override
        public long position() throws IOException {
            return channel.position();
        }

        @Override
        public SeekableByteChannel position(long position) throws IOException {
            channel.position(position);
            return this;
        }

        @Override
        public long size() throws IOException {
            return channel.size();
        }

        @Override
        public SeekableByteChannel truncate(long size) throws IOException {
            channel.truncate(size);
            return this;
        }

        @Override
        public boolean isOpen() {
            return channel.isOpen();
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }

    @Test
    void aBusyServerIsWaitedForAsLongAsItAsks() {
        byte[] weights = model(10);
        server.next(INFO, FakeHub.status(429, "Retry-After", "7"));
        server.next("model.safetensors", FakeHub.status(503));

        assertThat(fetch(SPEC).resolve("model.safetensors")).hasBinaryContent(weights);
        assertThat(notices)
                .containsExactly(
                        "list owner/name@main: the server answered 429; trying again in 7 s (1 of 5)",
                        "model.safetensors: the server answered 503; trying again in 1 s (1 of 5)");
        assertThat(slept.stream().reduce(Duration.ZERO, Duration::plus)).isEqualTo(Duration.ofSeconds(8));
    }

    @Test
    void aServerThatStaysBrokenFailsAfterGrowingPauses() {
        server.always(INFO, FakeHub.status(500));

        fails(StorageException.class)
                .hasMessage(
                        "Cannot get owner/name@main from " + server.url() + ": the server answered 500; tried 6 times");
        assertThat(server.requests).hasSize(6);
        assertThat(slept.stream().reduce(Duration.ZERO, Duration::plus))
                .isEqualTo(Duration.ofSeconds(1 + 2 + 4 + 8 + 16));
    }

    @Test
    void aServerThatAsksForTooLongIsNotWaitedFor() {
        server.always(INFO, FakeHub.status(429, "Retry-After", "86400"));

        fails(StorageException.class)
                .hasMessage("Cannot get owner/name@main from " + server.url()
                        + ": the server answered 429 and asks to wait 86400 s");
        assertThat(slept).isEmpty();
    }

    @Test
    void aServerThatSaysNothingIsGivenUp() {
        CountDownLatch over = new CountDownLatch(1);
        server.always(INFO, exchange -> {
            try {
                over.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });

        fails(
                        StorageException.class,
                        builder().readTimeout(Duration.ofMillis(50)).retries(1))
                .hasMessage("Cannot get owner/name@main from " + server.url() + ": " + server.url()
                        + " did not answer within 50 ms; tried 2 times");
        over.countDown();
    }

    @Test
    void aServerThatStopsInTheMiddleIsGivenUp() {
        byte[] weights = model(100);
        CountDownLatch over = new CountDownLatch(1);
        server.always("model.safetensors", exchange -> {
            exchange.sendResponseHeaders(200, 100);
            exchange.getResponseBody().write(weights, 0, 50);
            exchange.getResponseBody().flush();
            try {
                over.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });

        fails(
                        StorageException.class,
                        builder().readTimeout(Duration.ofSeconds(2)).retries(0))
                .hasMessage("Cannot get model.safetensors of owner/name@main from " + server.url()
                        + ": nothing came for 2000 ms; what has come is kept, fetch it again to go on from there");
        over.countDown();
        assertThat(blob(FakeHub.sha256(weights) + ".incomplete")).hasBinaryContent(Arrays.copyOf(weights, 50));
    }

    @Test
    void aFileThatTheListHasAndTheServerHasNotIsNamed() {
        model(10);
        server.always("model.safetensors", FakeHub.status(404, "X-Error-Code", "EntryNotFound"));

        fails(StorageException.class)
                .hasMessage("Cannot get model.safetensors of owner/name@main from " + server.url()
                        + ": the server answered 404; what has come is kept, fetch it again to go on from there");
    }

    @Test
    void aMessageOfTheServerIsShownWithoutItsControlCharacters() {
        server.always(INFO, FakeHub.status(403, "X-Error-Message", "a \u001b[31mred " + "x".repeat(1000)));

        fails(StorageException.class)
                .satisfies(e -> assertThat(e.getMessage())
                        .contains("\\u{1b}[31mred xxx")
                        .hasSizeLessThan(600)
                        .matches("\\P{Cntrl}+"));
        server.always(INFO, FakeHub.status(403, "X-Error-Message", "x".repeat(1000)));
        fails(StorageException.class)
                .hasMessageContaining("(the server answered 403 (xxx")
                .satisfies(e -> assertThat(e.getMessage()).hasSizeLessThan(600));
    }

    @Test
    void aRepositoryWithoutWeightsSaysWhatItHolds() throws IOException {
        server.put("pytorch_model.bin", "old").put("config.json", "{}");

        fails(UnsupportedModelException.class)
                .hasMessage(
                        "owner/name holds neither model.safetensors (or its shards) nor a GGUF file but config.json,"
                                + " pytorch_model.bin; name the files you want, such as hf:owner/name:onnx/*");
        assertThat(cache).doesNotExist();
    }

    @Test
    void theTokenIsInNoText() {
        assertThatThrownBy(() -> builder().token("hf_secret\r\nX-Evil: 1").build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "The token must be 1 to 4096 visible ASCII characters but was not; copy it again from the hub");
    }
}
