package dev.pollux.inference.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.CancelledException;
import dev.pollux.StorageException;
import dev.pollux.job.Job;
import dev.pollux.job.JobEvent;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** Fetching from a hub that behaves. */
class ModelHubTest extends HubTestCase {

    @Test
    void aModelIsFetchedIntoTheLayoutOfTheHubsOwnCache() throws IOException {
        byte[] weights = model(25_000);
        String sha256 = FakeHub.sha256(weights);
        String sha1 = FakeHub.gitSha1(server.files.get("config.json"));

        Path path = fetch(SPEC);

        assertThat(path).isEqualTo(snapshot());
        assertThat(path.resolve("model.safetensors")).hasBinaryContent(weights);
        assertThat(Files.readSymbolicLink(path.resolve("model.safetensors"))).hasToString("../../blobs/" + sha256);
        assertThat(Files.readSymbolicLink(path.resolve("config.json"))).hasToString("../../blobs/" + sha1);
        assertThat(folder().resolve("refs/main")).hasContent(FakeHub.COMMIT);
        assertThat(left())
                .containsExactlyInAnyOrder(
                        "models--owner--name/blobs/" + sha256,
                        "models--owner--name/blobs/" + sha1,
                        "models--owner--name/blobs/" + FakeHub.gitSha1(server.files.get("tokenizer.json")),
                        "models--owner--name/refs/main",
                        "models--owner--name/snapshots/" + FakeHub.COMMIT + "/config.json",
                        "models--owner--name/snapshots/" + FakeHub.COMMIT + "/tokenizer.json",
                        "models--owner--name/snapshots/" + FakeHub.COMMIT + "/model.safetensors");
        assertThat(cache.resolve(".locks/models--owner--name/" + sha256 + ".lock"))
                .exists();
    }

    @Test
    void aModelThatIsThereIsNotFetchedAgain() {
        model(25_000);
        Path first = fetch(SPEC);
        server.requests.clear();

        assertThat(fetch(SPEC)).isEqualTo(first);
        assertThat(server.requests)
                .extracting(FakeHub.Request::path)
                .containsExactly("/api/models/owner/name/revision/main");
    }

    @Test
    void aFileInAFolderIsLinkedFromThere() throws IOException {
        model(10);
        server.put("modules.json", "[]").put("1_Pooling/config.json", "{\"pooling\": 1}");

        Path path = fetch(SPEC);

        assertThat(path.resolve("1_Pooling/config.json")).hasContent("{\"pooling\": 1}");
        assertThat(Files.readSymbolicLink(path.resolve("1_Pooling/config.json")))
                .hasToString("../../../blobs/" + FakeHub.gitSha1(server.files.get("1_Pooling/config.json")));
    }

    @Test
    void progressIsInBytesOfAllFilesAndEndsWithAll() {
        model(25_000);
        List<JobEvent.Progress> seen = new ArrayList<>();
        int total = server.files.get("config.json").length + server.files.get("tokenizer.json").length + 25_000;

        builder()
                .build()
                .fetch(SPEC)
                .onEvent(event -> {
                    if (event instanceof JobEvent.Progress progress) {
                        seen.add(progress);
                    }
                })
                .run();

        assertThat(seen).extracting(JobEvent.Progress::done).isSorted();
        assertThat(seen).allMatch(p -> p.unit().equals("bytes") && p.total().getAsLong() == total);
        assertThat(seen.get(seen.size() - 1).done()).isEqualTo(total);
    }

    @Test
    void aLargeFileComesInParallelRanges() {
        byte[] weights = model(10 * RANGE + 7);
        CountDownLatch together = new CountDownLatch(3);
        server.always("model.safetensors", exchange -> {
            if (!exchange.getRequestHeaders().getFirst("Range").startsWith("bytes=0-")) {
                together.countDown();
                try {
                    together.await(); // answers only when three are asked for at a time
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
            server.answer(exchange);
        });

        Path path = listened(builder().parallelRanges(4).build().fetch(SPEC)).run();

        assertThat(path.resolve("model.safetensors")).hasBinaryContent(weights);
        assertThat(server.gets("model.safetensors")).isEqualTo(11);
        assertThat(notices).isEmpty();
    }

    @Test
    void anAttemptGoesOnWhereTheLastOneEnded() throws IOException {
        byte[] weights = model(3 * RANGE);
        Path incomplete = blob(FakeHub.sha256(weights) + ".incomplete");
        Files.createDirectories(incomplete.getParent());
        Files.write(incomplete, Arrays.copyOf(weights, 12_345));

        Path path = fetch(SPEC);

        assertThat(path.resolve("model.safetensors")).hasBinaryContent(weights);
        assertThat(server.requests)
                .filteredOn(request -> request.path().endsWith("model.safetensors"))
                .extracting(FakeHub.Request::range)
                .containsExactlyInAnyOrder("bytes=12345-22344", "bytes=22345-29999");
        assertThat(incomplete).doesNotExist();
    }

    @Test
    void aWholeFileThatWasNotMovedYetIsCheckedAndNotFetched() throws IOException {
        byte[] weights = model(3 * RANGE);
        Path incomplete = blob(FakeHub.sha256(weights) + ".incomplete");
        Files.createDirectories(incomplete.getParent());
        Files.write(incomplete, weights);

        assertThat(fetch(SPEC).resolve("model.safetensors")).hasBinaryContent(weights);
        assertThat(server.gets("model.safetensors")).isZero();
    }

    @Test
    void aBeginningOfAnotherFileIsFoundOutAndFetchedAnew() throws IOException {
        byte[] weights = model(3 * RANGE);
        Path incomplete = blob(FakeHub.sha256(weights) + ".incomplete");
        Files.createDirectories(incomplete.getParent());
        Files.write(incomplete, new byte[RANGE]);

        assertThat(fetch(SPEC).resolve("model.safetensors")).hasBinaryContent(weights);
        assertThat(notices)
                .containsExactly(
                        "model.safetensors: what an attempt before had left was not its beginning, so it begins again");
    }

    @Test
    void cancellingLeavesABeginningToGoOnFrom() throws IOException {
        byte[] weights = model(20 * RANGE);
        Path incomplete = blob(FakeHub.sha256(weights) + ".incomplete");
        Job<Path> job = builder().build().fetch(SPEC);
        server.always("model.safetensors", exchange -> {
            if (exchange.getRequestHeaders().getFirst("Range").startsWith("bytes=50000-")) {
                job.cancel();
                return;
            }
            server.answer(exchange);
        });

        assertThatThrownBy(job::run).isInstanceOf(CancelledException.class);

        byte[] kept = Files.readAllBytes(incomplete);
        assertThat(kept.length).isBetween(1, 50_000);
        assertThat(kept).isEqualTo(Arrays.copyOf(weights, kept.length));
        assertThat(snapshot()).doesNotExist();
        assertThat(folder().resolve("refs")).doesNotExist();
        server.always("model.safetensors", server::answer);
        server.requests.clear();
        assertThat(fetch(SPEC).resolve("model.safetensors")).hasBinaryContent(weights);
        assertThat(server.requests)
                .filteredOn(request -> request.path().endsWith("model.safetensors"))
                .noneMatch(request -> request.range().startsWith("bytes=0-"));
    }

    /** Another download may have made it just now, and its caller reads it. */
    @Test
    void aFileThatIsThereIsReplacedAndNeverMissing() throws IOException {
        byte[] weights = model(RANGE);
        Path place = fetch(SPEC).resolve("model.safetensors");
        Files.delete(place);
        Files.writeString(place, "of another size");
        class Watching extends Fast {
            private boolean linked;

            @Override
            public void link(Path link, Path target) throws IOException {
                linked = true;
                assertThat(place).exists();
                super.link(link, target);
                assertThat(place).exists();
            }
        }
        Watching watching = new Watching();

        builder().surroundings(watching).build().fetch(SPEC).run();

        assertThat(watching.linked).isTrue();
        assertThat(place).hasBinaryContent(weights);
        assertThat(Files.isSymbolicLink(place)).isTrue();
        assertThat(left()).noneMatch(name -> name.endsWith(".tmp"));
    }

    @Test
    void twoDownloadsOfOneModelFetchItOnce() throws Exception {
        byte[] weights = model(5 * RANGE);
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            List<Future<Path>> paths = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                paths.add(threads.submit(() -> builder().build().fetch(SPEC).run()));
            }
            for (Future<Path> path : paths) {
                assertThat(path.get().resolve("model.safetensors")).hasBinaryContent(weights);
            }
        } finally {
            threads.shutdown();
        }
        assertThat(server.gets("model.safetensors")).isEqualTo(5);
        assertThat(server.gets("config.json")).isEqualTo(1);
    }

    @Test
    void aLockThatSomeoneElseHoldsIsWaitedFor() throws IOException {
        byte[] weights = model(3 * RANGE);
        Path lock = cache.resolve(".locks/models--owner--name/" + FakeHub.sha256(weights) + ".lock");
        Files.createDirectories(lock.getParent());
        FileChannel other = FileChannel.open(lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock held = other.lock();
        Job<Path> job = listened(builder().build().fetch(SPEC));
        job.onEvent(event -> {
            if (event instanceof JobEvent.Notice) {
                try {
                    held.release();
                    other.close();
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
        });

        assertThat(job.run().resolve("model.safetensors")).hasBinaryContent(weights);
        assertThat(notices).containsExactly("waiting for another download of model.safetensors");
    }

    @Test
    void anInterruptedThreadStopsAndStaysInterrupted() throws IOException {
        model(10);
        Job<Path> job = builder().build().fetch(SPEC);

        Thread.currentThread().interrupt();
        assertThatThrownBy(job::run).isInstanceOf(CancelledException.class);
        assertThat(Thread.interrupted()).isTrue();
        assertThat(cache).doesNotExist();
    }

    @Test
    void cancellingWhileTheServerIsSilentReturnsAtOnce() throws IOException {
        model(10);
        CountDownLatch over = new CountDownLatch(1);
        Job<Path> job = builder().build().fetch(SPEC);
        server.always("/api/models/owner/name/revision/main", exchange -> {
            job.cancel();
            try {
                over.await(); // as long as the job waits, so forever if it did not stop
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });

        assertThatThrownBy(job::run).isInstanceOf(CancelledException.class);
        over.countDown();
        assertThat(cache).doesNotExist();
    }

    @Test
    void aRevisionIsNotedUnderItsNameAndACommitIsNot() throws IOException {
        model(10);
        server.revisions.add("refs/pr/1");

        assertThat(fetch(SPEC + "@refs/pr/1")).isEqualTo(snapshot());
        assertThat(folder().resolve("refs/refs/pr/1")).hasContent(FakeHub.COMMIT);
        fetch(SPEC + "@" + FakeHub.COMMIT);
        assertThat(left()).filteredOn(path -> path.contains("/refs/")).hasSize(1);
    }

    @Test
    void aQuantizationIsFetchedAsAFileWithItsShards() {
        byte[] first = random(100);
        server.put("model-Q8_0.gguf", random(300))
                .put("Q4_K_M/model-Q4_K_M-00001-of-00002.gguf", first)
                .put("Q4_K_M/model-Q4_K_M-00002-of-00002.gguf", random(200))
                .put("README.md", "# A model");

        Path path = fetch(SPEC + ":q4_k_m");

        assertThat(path)
                .isEqualTo(snapshot().resolve("Q4_K_M/model-Q4_K_M-00001-of-00002.gguf"))
                .hasBinaryContent(first);
        assertThat(path.resolveSibling("model-Q4_K_M-00002-of-00002.gguf")).exists();
        assertThat(snapshot().resolve("model-Q8_0.gguf")).doesNotExist();
    }

    @Test
    void patternsFetchWhatTheyMatch() {
        model(10);

        Path path = fetch(SPEC + ":onnx/,config.json");

        assertThat(path).isEqualTo(snapshot());
        assertThat(path.resolve("onnx/model.onnx")).hasContent("and again");
        assertThat(path.resolve("config.json")).exists();
        assertThat(path.resolve("model.safetensors")).doesNotExist();
        Path some = builder()
                .build()
                .fetch(SPEC, FileSelection.matching("*.json").without("tok*"))
                .run();
        assertThat(some.resolve("tokenizer.json")).doesNotExist();
    }

    @Test
    void aPlanSaysWhatThereIsToDoAndWritesNothing() throws IOException {
        byte[] weights = model(3 * RANGE);
        Path incomplete = blob(FakeHub.sha256(weights) + ".incomplete");

        FetchPlan plan = builder().build().plan(SPEC).run();

        assertThat(left()).isEmpty();
        assertThat(plan.repository()).isEqualTo("owner/name");
        assertThat(plan.revision()).isEqualTo("main");
        assertThat(plan.commit()).isEqualTo(FakeHub.COMMIT);
        assertThat(plan.path()).isEqualTo(snapshot());
        assertThat(plan.files())
                .extracting(FetchPlan.PlannedFile::path)
                .containsExactly("config.json", "model.safetensors", "tokenizer.json");
        assertThat(plan.files().get(1))
                .isEqualTo(new FetchPlan.PlannedFile("model.safetensors", 30_000, FakeHub.sha256(weights), 0));
        assertThat(plan.missingBytes()).isEqualTo(plan.bytes()).isEqualTo(30_000 + 23 + 2);

        Files.createDirectories(incomplete.getParent());
        Files.write(incomplete, Arrays.copyOf(weights, 1000));
        assertThat(builder().build().plan(SPEC).run().missingBytes()).isEqualTo(29_000 + 23 + 2);
        fetch(SPEC);
        FetchPlan done = builder().build().plan(SPEC).run();
        assertThat(done.missingBytes()).isZero();
        assertThat(done.files()).allMatch(FetchPlan.PlannedFile::isPresent);
    }

    @Test
    void aModelThatHuggingfaceHubHasBroughtIsFoundOffline() throws IOException {
        Files.createDirectories(folder().resolve("blobs"));
        Files.createDirectories(snapshot());
        Files.createDirectories(folder().resolve("refs"));
        for (String file : List.of("config.json", "model.safetensors")) {
            byte[] content = random(100 + file.length());
            String hash = FakeHub.hash(file, content);
            Files.write(blob(hash), content);
            Files.createSymbolicLink(snapshot().resolve(file), Path.of("../../blobs/" + hash));
        }
        Files.writeString(folder().resolve("refs/main"), FakeHub.COMMIT);
        List<String> before = left();
        ModelHub hub = builder().offline(true).build();

        assertThat(hub.fetch(SPEC).run()).isEqualTo(snapshot());
        assertThat(hub.fetch(SPEC + "@" + FakeHub.COMMIT).run()).isEqualTo(snapshot());
        assertThat(hub.fetch(SPEC + "@0123456").run()).isEqualTo(snapshot());
        assertThat(hub.plan(SPEC).run().missingBytes()).isZero();
        assertThat(left()).isEqualTo(before);
        assertThat(server.requests).isEmpty();
    }

    @Test
    void blobsThatHuggingfaceHubHasBroughtAreNotFetchedAgain() throws IOException {
        byte[] weights = model(3 * RANGE);
        Files.createDirectories(folder().resolve("blobs"));
        Files.write(blob(FakeHub.sha256(weights)), weights);

        assertThat(fetch(SPEC).resolve("model.safetensors")).hasBinaryContent(weights);
        assertThat(server.gets("model.safetensors")).isZero();
        assertThat(server.gets("config.json")).isOne();
    }

    @Test
    void withoutANetworkWhatTheCacheHasIsUsedWithANotice() {
        model(10);
        Path path = fetch(SPEC);
        String url = server.url();
        server.close();

        Path again = listened(builder().endpoint(url).build().fetch(SPEC)).run();

        assertThat(again).isEqualTo(path);
        assertThat(notices).hasSize(1);
        assertThat(notices.get(0)).startsWith("using owner/name@main as the cache has it: cannot connect to " + url);
    }

    @Test
    void whereThereAreNoLinksAFileHasTwoNamesOrIsCopied() throws IOException {
        byte[] weights = model(100);
        server.put("config.json", server.files.get("tokenizer.json")); // one content, two files
        class NoLinks extends Fast {
            @Override
            public void link(Path link, Path target) throws IOException {
                throw new IOException("A required privilege is not held by the client");
            }
        }
        class Copies extends NoLinks {
            @Override
            public void hardLink(Path link, Path existing) {
                throw new UnsupportedOperationException();
            }
        }
        for (FileSystemAndClock disk : List.of(new NoLinks(), new Copies())) {
            Path path = builder()
                    .cache(cache.resolve(disk.getClass().getSimpleName()))
                    .surroundings(disk)
                    .build()
                    .fetch(SPEC)
                    .run();
            assertThat(path.resolve("model.safetensors")).isRegularFile().hasBinaryContent(weights);
            assertThat(Files.isSymbolicLink(path.resolve("model.safetensors"))).isFalse();
            assertThat(path.resolve("config.json")).hasContent("{}");
            assertThat(path.resolve("tokenizer.json")).hasContent("{}");
        }
        assertThat(left()).noneMatch(path -> path.endsWith(".tmp"));
    }

    @Test
    void theTokenGoesToTheHubAndToNoOtherHost() {
        byte[] weights = model(3 * RANGE);
        server.always("model.safetensors", exchange -> {
            exchange.getResponseHeaders().add("X-Linked-Etag", '"' + FakeHub.sha256(weights) + '"');
            FakeHub.status(302, "Location", server.otherUrl() + "/storage/key?signature=1")
                    .handle(exchange);
        });
        server.always("/storage/key", exchange -> {
            String[] range =
                    exchange.getRequestHeaders().getFirst("Range").substring(6).split("-");
            int from = Integer.parseInt(range[0]);
            int to = Integer.parseInt(range[1]) + 1;
            FakeHub.body(
                            206,
                            to - from,
                            Arrays.copyOfRange(weights, from, to),
                            "Content-Range",
                            "bytes " + from + "-" + (to - 1) + "/" + weights.length)
                    .handle(exchange);
        });

        Path path = builder().token("hf_secret").build().fetch(SPEC).run();

        assertThat(path.resolve("model.safetensors")).hasBinaryContent(weights);
        assertThat(server.requests)
                .filteredOn(request -> request.path().equals("/storage/key"))
                .hasSize(3)
                .allMatch(request -> request.authorization().equals("null"));
        assertThat(server.requests)
                .filteredOn(request -> !request.path().equals("/storage/key"))
                .allMatch(request -> request.authorization().equals("Bearer hf_secret"));
    }

    @Test
    void aMirrorThatDescribesNoSizesIsAskedForEachFile() {
        byte[] weights = model(100);
        server.files.keySet().forEach(path -> server.described.put(path, Map.of("rfilename", path)));

        assertThat(fetch(SPEC).resolve("model.safetensors")).hasBinaryContent(weights);
        assertThat(server.requests).filteredOn(r -> r.method().equals("HEAD")).hasSize(3);
    }

    @Test
    void anEmptyFileIsFetchedWithoutARequest() {
        model(10);
        server.put("added_tokens.json", "");

        assertThat(fetch(SPEC).resolve("added_tokens.json")).isEmptyFile();
        assertThat(server.gets("added_tokens.json")).isZero();
    }

    @Test
    void aRenamedRepositoryIsFollowed() {
        byte[] weights = model(10);
        server.always(
                "/api/models/old/name/revision/main",
                FakeHub.status(307, "Location", "/api/models/owner/name/revision/main?blobs=true"));
        server.files.forEach((path, content) -> server.always(
                "/old/name/resolve/" + FakeHub.COMMIT + "/" + path,
                FakeHub.status(307, "Location", "/owner/name/resolve/" + FakeHub.COMMIT + "/" + path)));

        Path path = fetch("hf:old/name");

        assertThat(path).isEqualTo(cache.resolve("models--old--name/snapshots/" + FakeHub.COMMIT));
        assertThat(path.resolve("model.safetensors")).hasBinaryContent(weights);
    }

    @Test
    void aBrokenFileInTheCacheIsReplaced() throws IOException {
        byte[] weights = model(100);
        Path path = fetch(SPEC);
        Files.write(blob(FakeHub.sha256(weights)), new byte[] {1});

        assertThatThrownBy(() -> assertThat(path.resolve("model.safetensors")).hasBinaryContent(weights))
                .isInstanceOf(AssertionError.class);
        assertThat(fetch(SPEC).resolve("model.safetensors")).hasBinaryContent(weights);
    }

    @Test
    void aJobOfACacheThatIsAFileFailsWithItsPath() throws IOException {
        model(10);
        Files.writeString(cache, "not a folder");

        assertThatThrownBy(() -> fetch(SPEC))
                .isInstanceOf(StorageException.class)
                .hasMessageStartingWith("Cannot get owner/name@main into " + cache + ": ");
    }
}
