package dev.pollux.inference.hub;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.UnsupportedModelException;
import dev.pollux.inference.hub.FetchPlan.PlannedFile;
import dev.pollux.job.JobContext;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** One run of {@link ModelHub#fetch} or {@link ModelHub#plan}. <em>Not thread-safe: one thread at a time.</em> */
final class ModelFetch {

    private static final long REPORT_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private final HubSettings settings;
    private final HubTransport transport;
    private final HubApi api;
    private final HubSpec spec;
    private final FileSelection selection;
    private final HubCache cache;
    private final JobContext context;
    private long total;
    private long before;
    private long reported;

    ModelFetch(
            HubSettings settings, HubTransport transport, HubSpec spec, FileSelection selection, JobContext context) {
        this.settings = settings;
        this.transport = transport;
        this.api = new HubApi(settings, transport);
        this.spec = spec;
        this.selection = selection;
        this.cache = new HubCache(settings, spec.repository());
        this.context = context;
    }

    /** Determines the files to download; writes nothing. */
    FetchPlan plan() {
        if (settings.offline()) {
            return cached("hub access is switched off (offline)", null);
        }
        try {
            HubApi.Listing listing = api.listing(spec, context);
            return planned(listing);
        } catch (UnreachableException e) {
            FetchPlan plan = cached(String.valueOf(e.getMessage()), e);
            context.notice("using " + spec + " as the cache has it: " + e.getMessage());
            return plan;
        } catch (IOException e) {
            throw storage(e);
        }
    }

    private FetchPlan planned(HubApi.Listing listing) throws IOException {
        SelectedFiles selected = SelectedFiles.of(selection, listing.files().keySet(), spec.repository());
        RepositoryPath.requirePlain(selected.paths(), spec.repository());
        List<PlannedFile> files = new ArrayList<>();
        for (String path : selected.paths()) {
            Path place = place(listing.commit(), path);
            RemoteFile file = api.measured(spec, listing.commit(), listing.file(path), context);
            files.add(new PlannedFile(path, file.bytes(), file.hash(), cache.present(place, file)));
        }
        return plan(listing.commit(), selected, files);
    }

    private FetchPlan plan(String commit, SelectedFiles selected, List<PlannedFile> files) {
        Path path = selected.model().isEmpty() ? cache.snapshot(commit) : place(commit, selected.model());
        return new FetchPlan(spec.repository(), spec.revision(), commit, path, files);
    }

    private Path place(String commit, String path) {
        return RepositoryPath.resolve(cache.snapshot(commit), path, spec.repository());
    }

    /** The model in the cache, used because of {@code why}. */
    private FetchPlan cached(String why, @Nullable IOException cause) {
        try {
            String commit = cache.commit(spec.revision()).orElse("");
            List<String> there = commit.isEmpty() ? List.of() : cache.files(commit);
            if (there.isEmpty()) {
                throw absent(why, "it is not in the cache", cause);
            }
            SelectedFiles selected = SelectedFiles.of(selection, there, spec.repository());
            List<PlannedFile> files = new ArrayList<>();
            for (String path : selected.paths()) {
                long bytes = Files.size(place(commit, path));
                files.add(new PlannedFile(path, bytes, "", bytes));
            }
            return plan(commit, selected, files);
        } catch (UnsupportedModelException e) {
            throw absent(why, "of it the cache has not what is asked for: " + e.getMessage(), e);
        } catch (IOException e) {
            throw storage(e);
        }
    }

    private StorageException absent(String why, String lacking, @Nullable Exception cause) {
        String message = "Cannot get " + spec + ": " + why + ", and " + lacking + " at " + settings.cache() + "; "
                + (settings.offline() ? "unset HF_HUB_OFFLINE" : "check the network, the proxy and the endpoint")
                + " or give the cache that has it";
        return cause == null ? new StorageException(message) : new StorageException(message, cause);
    }

    /** Downloads the missing files. */
    Path fetch() {
        FetchPlan plan = plan();
        try {
            if (plan.missingBytes() > 0) {
                requireSpace(plan);
            }
            total = plan.bytes();
            for (PlannedFile file : plan.files()) {
                context.checkCancelled();
                if (!file.isPresent() || file.bytes() == 0) {
                    fetch(plan, new RemoteFile(file.path(), file.bytes(), file.hash()));
                }
                before += file.bytes();
                report(0, true);
            }
            publish(plan);
            return plan.path();
        } catch (IOException e) {
            throw storage(e);
        }
    }

    private void publish(FetchPlan plan) throws IOException {
        for (PlannedFile file : plan.files()) {
            if (!file.hash().isEmpty()) { // otherwise it came from the cache
                cache.place(place(plan.commit(), file.path()), new RemoteFile(file.path(), file.bytes(), file.hash()));
            }
        }
        if (plan.files().stream().noneMatch(file -> file.hash().isEmpty())) {
            cache.refer(spec.revision(), plan.commit());
        }
    }

    private void requireSpace(FetchPlan plan) throws IOException {
        Path existing = settings.cache().toAbsolutePath();
        while (!Files.exists(existing) && existing.getParent() != null) {
            existing = existing.getParent();
        }
        long free = settings.surroundings().freeBytes(existing);
        if (free < plan.missingBytes()) {
            throw new StorageException(spec + " needs " + plan.missingBytes() + " bytes at " + settings.cache()
                    + " but " + free + " are free; free some, or name another cache by HF_HUB_CACHE");
        }
    }

    private void fetch(FetchPlan plan, RemoteFile file) throws IOException {
        Path incomplete = cache.incomplete(file.hash());
        Files.createDirectories(incomplete.getParent());
        HubCache.Held held = cache.lock(file, context);
        try {
            if (!isWhole(plan, file)) { // otherwise another download has completed it meanwhile
                download(plan, file, incomplete);
                cache.publish(file);
            }
        } catch (PartialBlob.DiskException e) {
            throw new StorageException(
                    "Cannot write " + incomplete + ": " + e.getMessage() + "; free some space, then"
                            + " fetch again to go on where it ended, or delete that file",
                    e);
        } catch (MalformedFileException e) {
            Files.deleteIfExists(incomplete);
            throw e;
        } finally {
            held.close();
        }
    }

    private boolean isWhole(FetchPlan plan, RemoteFile file) throws IOException {
        return HubCache.hasSize(cache.blob(file.hash()), file.bytes())
                || HubCache.hasSize(place(plan.commit(), file.path()), file.bytes());
    }

    private void download(FetchPlan plan, RemoteFile file, Path incomplete) throws IOException {
        URI from = api.resolve(spec.repository(), plan.commit(), file.path());
        BlobDownload download = new BlobDownload(settings, transport, context, file, from);
        try (PartialBlob blob =
                PartialBlob.open(file, incomplete, settings, context, position -> report(position, false))) {
            boolean resumed = blob.position() > 0;
            download.run(blob);
            if (resumed && !blob.isRight()) {
                context.notice(
                        file.path() + ": what an attempt before had left was not its beginning, so it begins again");
                blob.restart();
                download.run(blob);
            }
            blob.verify(spec.repository());
        } catch (PartialBlob.DiskException e) {
            throw e;
        } catch (IOException e) {
            throw api.refused(spec, file.path(), e);
        }
    }

    private void report(long position, boolean always) {
        long now = System.nanoTime();
        if (always || now - reported >= REPORT_NANOS) {
            reported = now;
            context.progress("fetch", before + position, total, "bytes");
        }
    }

    private StorageException storage(IOException e) {
        return new StorageException(
                "Cannot get " + spec + " into " + settings.cache() + ": " + e.getMessage() + "; check the path, the"
                        + " permissions and the free space",
                e);
    }
}
