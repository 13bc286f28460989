package dev.pollux.inference.hub;

import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.inference.internal.JsonNode;
import dev.pollux.job.JobContext;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Repository metadata from the hub: {@code GET /api/models/ID/revision/REV?blobs=true} and, if that omits a size or hash,
 * {@code HEAD /ID/resolve/COMMIT/FILE}. <em>Thread-safe.</em>
 */
final class HubApi {

    /** Limit for the response; a list of 50 000 files has about half of this size. */
    static final int MAX_LISTING = 16 << 20;

    static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}([0-9a-f]{24})?");

    private final HubSettings settings;
    private final HubTransport transport;

    HubApi(HubSettings settings, HubTransport transport) {
        this.settings = settings;
        this.transport = transport;
    }

    /** A revision's commit and files, by path. <em>Immutable.</em> */
    record Listing(String commit, Map<String, RemoteFile> files) {
        /** A file in the list. */
        RemoteFile file(String path) {
            return files.getOrDefault(path, new RemoteFile(path, -1, ""));
        }
    }

    /** @throws UnreachableException if the server cannot be reached */
    Listing listing(HubSpec spec, JobContext context) throws UnreachableException {
        URI uri = uri("/api/models/" + encoded(spec.repository()) + "/revision/"
                + encoded(spec.revision()).replace("/", "%2F") + "?blobs=true");
        Retries retries = new Retries(settings, context);
        while (true) {
            try {
                HubReply reply = transport.get(uri, "", context);
                requireSuccess(reply);
                return parse(transport.read(reply, MAX_LISTING, context), spec);
            } catch (UnreachableException e) {
                throw e;
            } catch (IOException e) {
                try {
                    retries.pause("list " + spec, e);
                } catch (IOException last) {
                    throw refused(spec, last, context);
                }
            }
        }
    }

    private static void requireSuccess(HubReply reply) throws HubStatusException {
        if (!reply.isSuccess()) {
            reply.body().cancel();
            throw new HubStatusException(reply);
        }
    }

    /** The download address of a file. */
    URI resolve(String repository, String commit, String path) {
        return uri("/" + encoded(repository) + "/resolve/" + commit + "/" + encoded(path));
    }

    private URI uri(String rest) {
        return URI.create(settings.endpoint() + rest);
    }

    /** Percent-encodes all characters except letters, digits, {@code - _ . ~} and slashes. */
    static String encoded(String path) {
        StringBuilder out = new StringBuilder();
        for (byte b : path.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (b & 0xff);
            boolean plain =
                    c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || "-_.~/".indexOf(c) >= 0;
            out.append(plain ? String.valueOf(c) : String.format("%%%02X", (int) c));
        }
        return out.toString();
    }

    private static Listing parse(byte[] body, HubSpec spec) {
        JsonNode root;
        try {
            root = JsonNode.parse(body, "The description of " + spec);
        } catch (MalformedFileException e) {
            throw new MalformedFileException(e.getMessage() + "; check the endpoint", e);
        }
        String commit = root.path("sha").asString("");
        if (!COMMIT.matcher(commit).matches() || !root.path("siblings").isArray()) {
            throw new MalformedFileException("The description of " + spec
                    + " must have a commit 'sha' and a list 'siblings' but has '" + RepositoryPath.shown(commit)
                    + "' and "
                    + root.path("siblings").shown() + "; check the endpoint");
        }
        Map<String, RemoteFile> files = new LinkedHashMap<>();
        for (JsonNode sibling : root.path("siblings")) {
            String path = sibling.path("rfilename").asString("");
            RepositoryPath.requireInside(path, spec.repository());
            JsonNode lfs = sibling.path("lfs");
            String sha256 = lfs.path("sha256").asString(lfs.path("oid").asString(""));
            long bytes = lfs.path("size").asLong(sibling.path("size").asLong(-1));
            files.put(
                    path,
                    new RemoteFile(
                            path,
                            bytes,
                            sha256.isEmpty() ? sibling.path("blobId").asString("") : sha256));
        }
        return new Listing(commit, files);
    }

    /** The file with its size and hash, requested separately if the list lacks them. */
    RemoteFile measured(HubSpec spec, String commit, RemoteFile file, JobContext context) {
        if (file.isKnown()) {
            return file;
        }
        URI uri = resolve(spec.repository(), commit, file.path());
        Retries retries = new Retries(settings, context);
        while (true) {
            try {
                HubReply reply = transport.head(uri, context);
                reply.body().cancel();
                if (reply.status() >= 400) {
                    throw new HubStatusException(reply);
                }
                String etag = reply.linked()
                        .getOrDefault("x-linked-etag", reply.linked().getOrDefault("etag", ""));
                String size = reply.linked()
                        .getOrDefault(
                                "x-linked-size", reply.header("Content-Length").orElse(""));
                return new RemoteFile(
                                file.path(),
                                size.matches("\\d{1,18}") ? Long.parseLong(size) : -1,
                                etag.replaceFirst("^W/", "").replace("\"", ""))
                        .requireKnown(spec.repository());
            } catch (IOException e) {
                try {
                    retries.pause("look at " + file.path(), e);
                } catch (IOException last) {
                    throw refused(spec, file.path(), last);
                }
            }
        }
    }

    /** The error for a failure that a retry cannot resolve. */
    StorageException refused(HubSpec spec, IOException e, JobContext context) {
        if (!(cause(e) instanceof HubStatusException status) || status.isPassing()) {
            return new StorageException(
                    "Cannot get " + spec + " from " + settings.endpoint() + ": " + e.getMessage(), e);
        }
        String repository = spec.repository();
        if (status.isDenial() && !status.code().equals("RepoNotFound")) {
            return denied(spec, status);
        }
        if (status.isDenial() || status.status() == 404 && isUnknown(spec, status, context)) {
            return new StorageException(
                    "There is no model " + repository + " at " + settings.endpoint()
                            + ", or it is private; check the name"
                            + (settings.token() == null ? ", and for a private one set HF_TOKEN" : ""),
                    e);
        }
        if (status.status() == 404) {
            return new StorageException(
                    repository + " has no revision '" + spec.revision()
                            + "'; give one of its branches, tags or commits, such as " + repository + "@main",
                    e);
        }
        return new StorageException("Cannot get " + spec + " from " + settings.endpoint() + ": " + e.getMessage(), e);
    }

    /** The error for a repository that requires other access rights. */
    StorageException denied(HubSpec spec, HubStatusException status) {
        String repository = spec.repository();
        String what = " is not open to everyone: ";
        if (status.code().equals("GatedRepo")) {
            what = " is gated: accept its terms at " + settings.endpoint() + "/" + repository + " and ";
        } else if (status.status() == 401) { // the hub's answer to anonymous requests, whether the model exists or not
            what = " does not exist or is not open to everyone: check the name, or ";
        }
        return new StorageException(
                repository + what
                        + (settings.token() == null
                                ? "set HF_TOKEN to a token of an account that may read it"
                                : "use a token of an account that may read it; the one that is set may not")
                        + " (" + status.getMessage() + ")",
                status);
    }

    /** The error for a missing file of an existing repository. */
    StorageException refused(HubSpec spec, String path, IOException e) {
        if (cause(e) instanceof HubStatusException status && status.isDenial()) {
            return denied(spec, status);
        }
        return new StorageException(
                "Cannot get " + path + " of " + spec + " from " + settings.endpoint() + ": " + e.getMessage()
                        + "; what has come is kept, fetch it again to go on from there",
                e);
    }

    private static IOException cause(IOException e) {
        return e.getCause() instanceof HubStatusException status ? status : e;
    }

    /**
     * Whether the repository does not exist, as opposed to the revision: according to the hub's error code, otherwise by a
     * request for it.
     */
    private boolean isUnknown(HubSpec spec, HubStatusException status, JobContext context) {
        if (!status.code().isEmpty()) {
            return status.code().equals("RepoNotFound");
        }
        try {
            HubReply reply = transport.get(uri("/api/models/" + encoded(spec.repository())), "", context);
            reply.body().cancel();
            return !reply.isSuccess();
        } catch (IOException e) {
            return true;
        }
    }
}
