package dev.pollux.inference.hub;

import dev.pollux.MalformedFileException;
import dev.pollux.job.JobContext;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpHeaders;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Downloads the missing part of a file. <em>Not thread-safe: one thread at a time.</em>
 */
final class BlobDownload {

    /*
     * Several ranges are requested at a time, each with its own buffer. The thread that runs the job appends them in order, so
     * the file on disk is a prefix at any moment, and a later download can resume from it.
     *
     * The first range shows whether the server supports ranges and where it redirects to. A server that ignores the range sends
     * the whole file; it is then read from the beginning in one stream.
     *
     * If a stream breaks, all requests are released, and the download restarts at the end of the prefix. Retries limits the
     * number of restarts.
     */

    /**
     * Received bytes after which the attempts are counted from zero again: a server that sends single bytes makes no progress.
     */
    private static final long PROGRESS = 1 << 20;

    private static final Pattern CONTENT_RANGE = Pattern.compile("bytes (\\d{1,18})-(\\d{1,18})/(\\d{1,18}|\\*)");

    private final HubSettings settings;
    private final HubTransport transport;
    private final JobContext context;
    private final RemoteFile file;
    private final URI uri;

    BlobDownload(HubSettings settings, HubTransport transport, JobContext context, RemoteFile file, URI uri) {
        this.settings = settings;
        this.transport = transport;
        this.context = context;
        this.file = file;
        this.uri = uri;
    }

    /** A requested part of the file: {@code [start, end)}. */
    private record Range(long start, long end, URI uri, CompletableFuture<HttpResponse<BoundedBody>> sent) {
        String header() {
            return range(start, end);
        }
    }

    private static String range(long start, long end) {
        return "bytes=" + start + "-" + (end - 1);
    }

    /**
     * Downloads and appends the missing bytes.
     *
     * @throws PartialBlob.DiskException if the file cannot be written
     * @throws IOException if the server fails permanently; the bytes received so far are kept
     * @throws MalformedFileException if the server contradicts itself
     */
    void run(PartialBlob blob) throws IOException {
        Retries retries = new Retries(settings, context);
        long begun = blob.position();
        while (!blob.isWhole()) {
            try {
                attempt(blob);
            } catch (PartialBlob.DiskException e) {
                throw e;
            } catch (IOException e) {
                if (blob.position() - begun >= PROGRESS) {
                    retries.succeeded();
                }
                begun = blob.position();
                retries.pause(file.path(), e);
            }
        }
    }

    private void attempt(PartialBlob blob) throws IOException {
        long start = blob.position();
        long end = Math.min(file.bytes(), start + settings.rangeBytes());
        boolean everything = start == 0 && end == file.bytes();
        HubReply reply = transport.get(uri, everything ? "" : range(start, end), context);
        try {
            if (reply.status() == 200) {
                stream(blob, reply);
            } else if (reply.status() == 206 && !everything) {
                ranges(blob, reply, start, end);
            } else if (reply.status() == 416) {
                blob.restart();
                throw new IOException("the server does not know the range");
            } else {
                throw new HubStatusException(reply);
            }
        } finally {
            reply.body().cancel();
        }
    }

    private void stream(PartialBlob blob, HubReply reply) throws IOException {
        requireLength(reply.headers(), file.bytes());
        if (blob.position() > 0) {
            context.notice(file.path() + ": the server ignores ranges, so it begins again from the first byte");
            blob.restart();
        }
        append(blob, reply.body(), file.bytes());
    }

    private void ranges(PartialBlob blob, HubReply first, long start, long end) throws IOException {
        long firstEnd = requireRange(first.headers(), start, end);
        ArrayDeque<Range> onTheWay = new ArrayDeque<>();
        long next = firstEnd;
        try {
            next = fill(onTheWay, next, settings.parallelRanges() - 1, first.uri());
            append(blob, first.body(), firstEnd);
            while (!onTheWay.isEmpty()) {
                Range head = onTheWay.element();
                HttpResponse<BoundedBody> response = transport.await(head.sent(), head.uri(), context);
                if (response.statusCode() != 206) {
                    throw new IOException("the server answered " + response.statusCode() + " to " + head.header());
                }
                if (requireRange(response.headers(), head.start(), head.end()) != head.end()) {
                    throw new IOException("the server gave less than " + head.header());
                }
                append(blob, response.body(), head.end());
                onTheWay.remove();
                next = fill(onTheWay, next, settings.parallelRanges(), first.uri());
            }
        } finally {
            onTheWay.forEach(range -> HubTransport.abandon(range.sent()));
        }
    }

    private long fill(ArrayDeque<Range> onTheWay, long from, int most, URI place) {
        long next = from;
        while (onTheWay.size() < most && next < file.bytes()) {
            long end = Math.min(file.bytes(), next + settings.rangeBytes());
            onTheWay.add(new Range(next, end, place, transport.send("GET", place, range(next, end))));
            next = end;
        }
        return next;
    }

    /** Appends a body that must end when the file has {@code end} bytes. */
    private void append(PartialBlob blob, BoundedBody body, long end) throws IOException {
        Optional<List<ByteBuffer>> taken = transport.take(body, context);
        while (taken.isPresent()) {
            for (ByteBuffer buffer : taken.get()) {
                if (blob.position() + buffer.remaining() > end) {
                    throw lied("sends more than " + end + " bytes");
                }
                blob.append(buffer);
            }
            taken = transport.take(body, context);
        }
        if (blob.position() < end) {
            throw new IOException("the server ended after " + blob.position() + " of " + file.bytes() + " bytes");
        }
    }

    private void requireLength(HttpHeaders headers, long bytes) {
        long said = headers.firstValueAsLong("Content-Length").orElse(bytes);
        if (said != bytes) {
            throw lied("gives its length as " + said);
        }
    }

    /** The end of the range in the server's response. */
    private long requireRange(HttpHeaders headers, long start, long end) {
        String said = headers.firstValue("Content-Range").orElse("");
        Matcher matcher = CONTENT_RANGE.matcher(said);
        if (!matcher.matches()
                || Long.parseLong(matcher.group(1)) != start
                || Long.parseLong(matcher.group(2)) < start
                || Long.parseLong(matcher.group(2)) >= end
                || !matcher.group(3).equals("*") && Long.parseLong(matcher.group(3)) != file.bytes()) {
            throw lied("answers " + range(start, end) + " with '" + RepositoryPath.shown(said) + "'");
        }
        long given = Long.parseLong(matcher.group(2)) + 1;
        requireLength(headers, given - start);
        return given;
    }

    private MalformedFileException lied(String what) {
        return new MalformedFileException("The server says that " + file.path() + " has " + file.bytes()
                + " bytes, but " + what + "; what came was discarded, use another endpoint");
    }
}
