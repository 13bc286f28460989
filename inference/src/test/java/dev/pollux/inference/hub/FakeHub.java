package dev.pollux.inference.hub;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import dev.pollux.inference.internal.JsonNode;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A hub on this machine, with one repository, that misbehaves where it is told to. */
final class FakeHub implements AutoCloseable {

    static final String REPOSITORY = "owner/name";
    static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

    private static final Pattern RESOLVE = Pattern.compile("/owner/name/resolve/([^/]+)/(.+)");
    private static final Pattern RANGE = Pattern.compile("bytes=(\\d+)-(\\d+)");

    /** A request that came. */
    record Request(String method, String path, String range, String authorization) {}

    final List<Request> requests = new CopyOnWriteArrayList<>();
    final Map<String, byte[]> files = new LinkedHashMap<>();
    final List<String> revisions = new ArrayList<>(List.of("main", COMMIT));

    /** What is described of a file instead of the truth. */
    final Map<String, Map<String, Object>> described = new LinkedHashMap<>();

    private final Map<String, Deque<HttpHandler>> once = new ConcurrentHashMap<>();
    private final Map<String, HttpHandler> always = new ConcurrentHashMap<>();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final HttpServer server;

    FakeHub() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/", this::handle);
        server.start();
    }

    String url() {
        return "http://localhost:" + server.getAddress().getPort();
    }

    /** The same server by another name, so another host to a client. */
    String otherUrl() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    FakeHub put(String path, byte[] content) {
        files.put(path, content);
        return this;
    }

    FakeHub put(String path, String content) {
        return put(path, content.getBytes(StandardCharsets.UTF_8));
    }

    /** Answers requests for {@code path}, of a file or of the server, by {@code handler}. */
    FakeHub always(String path, HttpHandler handler) {
        always.put(path, handler);
        return this;
    }

    /** Answers the next request for {@code path} by {@code handler}; several are used in turn. */
    FakeHub next(String path, HttpHandler handler) {
        once.computeIfAbsent(path, p -> new ArrayDeque<>()).add(handler);
        return this;
    }

    static HttpHandler status(int status, String... headers) {
        return exchange -> {
            for (int i = 0; i < headers.length; i += 2) {
                exchange.getResponseHeaders().add(headers[i], headers[i + 1]);
            }
            exchange.sendResponseHeaders(status, -1);
            exchange.close();
        };
    }

    /** Sends all of {@code content} under a length of {@code length}, or without one where that is 0. */
    static HttpHandler body(int status, long length, byte[] content, String... headers) {
        return exchange -> {
            for (int i = 0; i < headers.length; i += 2) {
                exchange.getResponseHeaders().add(headers[i], headers[i + 1]);
            }
            exchange.sendResponseHeaders(status, length);
            exchange.getResponseBody().write(content);
            exchange.getResponseBody().flush();
            exchange.close();
        };
    }

    private void handle(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        requests.add(new Request(
                exchange.getRequestMethod(),
                path,
                String.valueOf(exchange.getRequestHeaders().getFirst("Range")),
                String.valueOf(exchange.getRequestHeaders().getFirst("Authorization"))));
        Matcher resolve = RESOLVE.matcher(path);
        String name = resolve.matches() ? resolve.group(2) : path;
        HttpHandler handler;
        synchronized (once) {
            Deque<HttpHandler> queue = once.getOrDefault(name, new ArrayDeque<>());
            handler = queue.isEmpty() ? always.getOrDefault(name, this::answer) : queue.poll();
        }
        try (exchange) {
            handler.handle(exchange);
        }
    }

    /** The right answer. */
    void answer(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        Matcher resolve = RESOLVE.matcher(path);
        String info = "/api/models/" + REPOSITORY;
        if (path.equals(info)) {
            status(200).handle(exchange);
        } else if (path.startsWith(info + "/revision/")
                && revisions.contains(path.substring((info + "/revision/").length()))) {
            body(200, 0, JsonNode.of(description()).toString().getBytes(StandardCharsets.UTF_8))
                    .handle(exchange);
        } else if (path.startsWith(info)) {
            status(404, "X-Error-Code", "RevisionNotFound").handle(exchange);
        } else if (resolve.matches() && resolve.group(1).equals(COMMIT) && files.containsKey(resolve.group(2))) {
            file(exchange, resolve.group(2));
        } else {
            status(404, "X-Error-Code", path.startsWith("/api") ? "RepoNotFound" : "EntryNotFound")
                    .handle(exchange);
        }
    }

    private Map<String, Object> description() {
        List<Map<String, Object>> siblings = new ArrayList<>();
        files.forEach((path, content) -> siblings.add(described.getOrDefault(path, truth(path, content))));
        return Map.of("id", REPOSITORY, "sha", COMMIT, "siblings", siblings);
    }

    private static Map<String, Object> truth(String path, byte[] content) {
        return isLarge(path)
                ? Map.of(
                        "rfilename",
                        path,
                        "size",
                        content.length,
                        "blobId",
                        gitSha1("pointer".getBytes(StandardCharsets.UTF_8)),
                        "lfs",
                        Map.of("sha256", sha256(content), "size", content.length, "pointerSize", 134))
                : Map.of("rfilename", path, "size", content.length, "blobId", gitSha1(content));
    }

    static boolean isLarge(String path) {
        return path.endsWith(".safetensors") || path.endsWith(".gguf");
    }

    private void file(HttpExchange exchange, String path) throws IOException {
        byte[] content = files.get(path);
        exchange.getResponseHeaders().add("X-Repo-Commit", COMMIT);
        exchange.getResponseHeaders().add(isLarge(path) ? "X-Linked-Etag" : "ETag", '"' + hash(path, content) + '"');
        exchange.getResponseHeaders().add("X-Linked-Size", "" + content.length);
        if (exchange.getRequestMethod().equals("HEAD")) {
            exchange.getResponseHeaders().add("Content-Length", "" + content.length);
            exchange.sendResponseHeaders(200, -1);
            return;
        }
        Matcher range =
                RANGE.matcher(String.valueOf(exchange.getRequestHeaders().getFirst("Range")));
        int from = range.matches() ? Integer.parseInt(range.group(1)) : 0;
        int to = range.matches() ? Math.min(content.length, Integer.parseInt(range.group(2)) + 1) : content.length;
        if (range.matches()) {
            exchange.getResponseHeaders().add("Content-Range", "bytes " + from + "-" + (to - 1) + "/" + content.length);
        }
        exchange.sendResponseHeaders(range.matches() ? 206 : 200, to == from ? -1 : to - from);
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(content, from, to - from);
        }
    }

    /** The name of a file's content among the blobs. */
    static String hash(String path, byte[] content) {
        return isLarge(path) ? sha256(content) : gitSha1(content);
    }

    static String sha256(byte[] content) {
        return HexFormat.of().formatHex(digest("SHA-256").digest(content));
    }

    static String gitSha1(byte[] content) {
        MessageDigest sha1 = digest("SHA-1");
        sha1.update(("blob " + content.length + "\0").getBytes(StandardCharsets.US_ASCII));
        return HexFormat.of().formatHex(sha1.digest(content));
    }

    private static MessageDigest digest(String name) {
        try {
            return MessageDigest.getInstance(name);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** How many requests for the content of {@code path} came. */
    long gets(String path) {
        return requests.stream()
                .filter(request ->
                        request.method().equals("GET") && request.path().endsWith("/" + path))
                .count();
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
