package dev.pollux.inference.hub;

import dev.pollux.CancelledException;
import dev.pollux.MalformedFileException;
import dev.pollux.StorageException;
import dev.pollux.job.JobContext;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.URI;
import java.net.UnknownHostException;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.UnresolvedAddressException;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLException;

/**
 * HTTP requests to the hub and to the storages that it redirects to. The token is sent only to the scheme, host and port of the
 * endpoint; for that reason this class follows redirects, not the client. <em>Thread-safe.</em>
 */
final class HubTransport {

    private static final long POLL_MILLIS = 50;
    private static final int MAX_REDIRECTS = 10;
    private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);
    private static final Set<String> LINKED =
            Set.of("x-repo-commit", "x-linked-etag", "x-linked-size", "x-error-code", "x-error-message", "etag");

    private final HubSettings settings;
    private final HttpClient client;

    HubTransport(HubSettings settings, EnvironmentProxy proxy) {
        this.settings = settings;
        HttpClient.Builder builder = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1) // parallel ranges need several connections
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(settings.connectTimeout())
                .proxy(proxy);
        proxy.authenticator().ifPresent(builder::authenticator);
        this.client = builder.build();
    }

    /** A sent request; {@code range} is empty for the whole body. */
    CompletableFuture<HttpResponse<BoundedBody>> send(String method, URI uri, String range) {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri)
                .method(method, HttpRequest.BodyPublishers.noBody())
                .header("User-Agent", "pollux")
                .header("Accept-Encoding", "identity");
        if (!range.isEmpty()) {
            request.header("Range", range);
        }
        String token = settings.token();
        if (token != null && isEndpoint(uri)) {
            request.header("Authorization", "Bearer " + token);
        }
        return client.sendAsync(request.build(), info -> new BoundedBody(settings.rangeBytes()));
    }

    private boolean isEndpoint(URI uri) {
        URI endpoint = settings.endpoint();
        return endpoint.getScheme().equalsIgnoreCase(uri.getScheme())
                && endpoint.getHost().equalsIgnoreCase(uri.getHost())
                && port(endpoint) == port(uri);
    }

    private static int port(URI uri) {
        return uri.getPort() >= 0 ? uri.getPort() : isPlain(uri) ? 80 : 443;
    }

    /** The response to a request, after all redirects. */
    HubReply get(URI uri, String range, JobContext context) throws IOException {
        return follow("GET", uri, range, context);
    }

    /** The hub's headers for a file, without following a redirect to another host. */
    HubReply head(URI uri, JobContext context) throws IOException {
        return follow("HEAD", uri, "", context);
    }

    private HubReply follow(String method, URI start, String range, JobContext context) throws IOException {
        URI uri = start;
        Map<String, String> linked = new LinkedHashMap<>();
        Set<URI> seen = new HashSet<>(Set.of(start));
        for (int hop = 0; hop <= MAX_REDIRECTS; hop++) {
            HttpResponse<BoundedBody> response = await(send(method, uri, range), uri, context);
            if (isEndpoint(uri)) {
                remember(response.headers(), linked);
            }
            HubReply reply = new HubReply(response, linked, uri, isEndpoint(uri));
            if (!REDIRECTS.contains(reply.status())) {
                return reply;
            }
            reply.body().cancel();
            URI next = target(uri, reply);
            if (method.equals("HEAD") && !isEndpoint(next)) {
                return reply;
            }
            if (!seen.add(next)) {
                throw new StorageException(start + " redirects in a circle, by " + next
                        + "; ask whoever runs the server, or use another endpoint");
            }
            uri = next;
        }
        throw new StorageException(start + " redirects more than " + MAX_REDIRECTS
                + " times; ask whoever runs the server, or use another endpoint");
    }

    private static void remember(HttpHeaders headers, Map<String, String> linked) {
        for (String name : LINKED) {
            headers.firstValue(name).ifPresent(value -> linked.putIfAbsent(name, value));
        }
    }

    private static URI target(URI from, HubReply reply) {
        String location = reply.header("Location").orElse("");
        try {
            URI to = from.resolve(location);
            String scheme = String.valueOf(to.getScheme()).toLowerCase(Locale.ROOT);
            boolean secure = scheme.equals("https");
            if (!location.isEmpty() && to.getHost() != null && (secure || scheme.equals("http") && isPlain(from))) {
                return to;
            }
        } catch (IllegalArgumentException e) {
            // reported below
        }
        throw new StorageException(from + " redirects to '" + RepositoryPath.shown(location)
                + "', which must be an https address" + (isPlain(from) ? " or an http one" : "")
                + "; ask whoever runs the server, or use another endpoint");
    }

    private static boolean isPlain(URI uri) {
        return "http".equalsIgnoreCase(uri.getScheme());
    }

    /** Waits for the head of a response, at most the time in the settings. */
    HttpResponse<BoundedBody> await(CompletableFuture<HttpResponse<BoundedBody>> sent, URI uri, JobContext context)
            throws IOException {
        long deadline = System.nanoTime() + settings.readTimeout().toNanos();
        boolean answered = false;
        try {
            while (true) {
                context.checkCancelled();
                try {
                    HttpResponse<BoundedBody> response = sent.get(POLL_MILLIS, TimeUnit.MILLISECONDS);
                    answered = true;
                    return response;
                } catch (TimeoutException e) {
                    if (System.nanoTime() - deadline > 0) {
                        throw new IOException(place(uri) + " did not answer within "
                                + settings.readTimeout().toMillis() + " ms");
                    }
                }
            }
        } catch (ExecutionException e) {
            throw failure(e.getCause() == null ? e : e.getCause(), uri);
        } catch (InterruptedException e) {
            throw interrupted(e);
        } finally {
            if (!answered) {
                abandon(sent);
            }
        }
    }

    /** Releases a request in any state. */
    static void abandon(CompletableFuture<HttpResponse<BoundedBody>> sent) {
        if (!sent.cancel(true) && !sent.isCompletedExceptionally()) {
            sent.join().body().cancel();
        }
    }

    static CancelledException interrupted(InterruptedException e) {
        Thread.currentThread().interrupt();
        return new CancelledException("The thread was interrupted; nothing unfinished was published", e);
    }

    private static IOException failure(Throwable cause, URI uri) {
        boolean unreachable = cause instanceof ConnectException
                || cause instanceof HttpConnectTimeoutException
                || cause instanceof UnknownHostException
                || cause instanceof NoRouteToHostException
                || cause.getCause() instanceof UnresolvedAddressException
                || cause instanceof SSLException;
        String message = cause.getMessage() == null
                ? cause.getClass().getSimpleName()
                : RepositoryPath.shown(cause.getMessage()); // the message may quote the server
        return unreachable
                ? new UnreachableException("cannot connect to " + place(uri) + ": " + message, cause)
                : new IOException(place(uri) + ": " + message, cause);
    }

    /** Scheme, host and port. The query of a storage address contains credentials and must not appear in messages. */
    private static String place(URI uri) {
        return uri.getScheme() + "://" + uri.getRawAuthority();
    }

    /** The next bytes of a body; empty at its end. Fails if none arrive within the time in the settings. */
    Optional<List<ByteBuffer>> take(BoundedBody body, JobContext context) throws IOException {
        long deadline = System.nanoTime() + settings.readTimeout().toNanos();
        try {
            while (true) {
                context.checkCancelled();
                Optional<List<ByteBuffer>> taken = body.take(POLL_MILLIS);
                if (taken.isEmpty() || !taken.get().isEmpty()) {
                    return taken;
                }
                if (System.nanoTime() - deadline > 0) {
                    throw new IOException(
                            "nothing came for " + settings.readTimeout().toMillis() + " ms");
                }
            }
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    /**
     * Reads a whole body of at most {@code most} bytes.
     *
     * @throws MalformedFileException if it is larger
     */
    byte[] read(HubReply reply, int most, JobContext context) throws IOException {
        try {
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            for (var taken = take(reply.body(), context); taken.isPresent(); taken = take(reply.body(), context)) {
                for (ByteBuffer buffer : taken.get()) {
                    if (all.size() + buffer.remaining() > most) {
                        throw new MalformedFileException("The answer of " + place(reply.uri())
                                + reply.uri().getRawPath() + " must have at most " + most
                                + " bytes but has more; use another endpoint");
                    }
                    byte[] bytes = new byte[buffer.remaining()];
                    buffer.get(bytes);
                    all.writeBytes(bytes);
                }
            }
            return all.toByteArray();
        } finally {
            reply.body().cancel();
        }
    }
}
