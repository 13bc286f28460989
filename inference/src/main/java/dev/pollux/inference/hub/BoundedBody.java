package dev.pollux.inference.hub;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The body of a response, read by one thread while the client's threads receive it.
 *
 * <p>At most a window of bytes, plus the last buffers received with them, is held in memory, however much the server sends.
 * <em>Thread-safe: one thread reads.</em>
 */
final class BoundedBody implements HttpResponse.BodySubscriber<BoundedBody>, Flow.Subscriber<List<ByteBuffer>> {

    private final int window;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final ArrayDeque<ByteBuffer> waiting = new ArrayDeque<>();
    private Flow.@Nullable Subscription subscription;
    private @Nullable Throwable failure;
    private long bytes;
    private boolean asked;
    private boolean ended;
    private boolean cancelled;

    /** @param window maximum number of buffered bytes, in [1, 2^31) */
    BoundedBody(int window) {
        this.window = window;
    }

    @Override
    public CompletionStage<BoundedBody> getBody() {
        return CompletableFuture.completedFuture(this);
    }

    @Override
    public void onSubscribe(Flow.Subscription given) {
        locked(() -> {
            if (subscription != null || cancelled) {
                given.cancel();
                return;
            }
            subscription = given;
            ask();
        });
    }

    @Override
    public void onNext(List<ByteBuffer> item) {
        locked(() -> {
            asked = false;
            if (cancelled) {
                return;
            }
            for (ByteBuffer buffer : item) {
                bytes += buffer.remaining();
                waiting.add(buffer);
            }
            ask();
            changed.signal();
        });
    }

    @Override
    public void onError(Throwable thrown) {
        locked(() -> {
            failure = thrown;
            ended = true;
            changed.signal();
        });
    }

    @Override
    public void onComplete() {
        locked(() -> {
            ended = true;
            changed.signal();
        });
    }

    private void ask() {
        Flow.Subscription open = subscription;
        if (open != null && !asked && !ended && bytes < window) {
            asked = true;
            open.request(1);
        }
    }

    /**
     * Returns the received bytes. Waits a limited time for the first; returns an empty list if none arrived.
     *
     * @return empty at the end of the body
     * @throws IOException if the connection broke before the end
     */
    Optional<List<ByteBuffer>> take(long millis) throws IOException, InterruptedException {
        lock.lock();
        try {
            long nanos = TimeUnit.MILLISECONDS.toNanos(millis);
            while (waiting.isEmpty() && !ended && nanos > 0) {
                nanos = changed.awaitNanos(nanos);
            }
            List<ByteBuffer> taken = new ArrayList<>(waiting);
            waiting.clear();
            bytes = 0;
            ask();
            if (!taken.isEmpty() || !ended) {
                return Optional.of(taken);
            }
            if (failure != null) {
                throw new IOException(RepositoryPath.shown(String.valueOf(failure.getMessage())), failure);
            }
            return Optional.empty();
        } finally {
            lock.unlock();
        }
    }

    /** Releases the connection. Idempotent. */
    void cancel() {
        locked(() -> {
            cancelled = true;
            waiting.clear();
            if (subscription != null && !ended) {
                subscription.cancel();
            }
        });
    }

    private void locked(Runnable action) {
        lock.lock();
        try {
            action.run();
        } finally {
            lock.unlock();
        }
    }
}
