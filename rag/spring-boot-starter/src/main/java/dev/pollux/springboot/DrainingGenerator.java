package dev.pollux.springboot;

import dev.pollux.generation.Delta;
import dev.pollux.generation.Generation;
import dev.pollux.generation.GenerationOptions;
import dev.pollux.generation.GenerationStream;
import dev.pollux.generation.Generator;
import dev.pollux.generation.GeneratorInfo;
import dev.pollux.generation.Prompt;
import java.time.Duration;
import java.util.Iterator;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** A generator that knows how many of its streams are open. <em>Thread-safe.</em> */
final class DrainingGenerator implements Generator {

    private final Generator generator;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition idle = lock.newCondition();
    private int running; // guarded by lock
    private volatile boolean closed;

    DrainingGenerator(Generator generator) {
        this.generator = generator;
    }

    @Override
    public GenerationStream stream(Prompt prompt, GenerationOptions options) {
        begin();
        try {
            return new CountedStream(generator.stream(prompt, options));
        } catch (RuntimeException | Error e) {
            end();
            throw e;
        }
    }

    private void begin() {
        lock.lock();
        try {
            running++;
        } finally {
            lock.unlock();
        }
    }

    private void end() {
        lock.lock();
        try {
            running--;
            if (running == 0) {
                idle.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    /** The number of open streams. */
    int running() {
        lock.lock();
        try {
            return running;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits until no stream is open.
     *
     * @return whether none is; false if the time is over or the thread interrupted, which it stays
     */
    boolean awaitIdle(Duration time) {
        lock.lock();
        try {
            long left = time.toNanos();
            while (running > 0 && left > 0) {
                left = idle.awaitNanos(left);
            }
            return running == 0;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } finally {
            lock.unlock();
        }
    }

    boolean isClosed() {
        return closed;
    }

    @Override
    public GeneratorInfo info() {
        return generator.info();
    }

    @Override
    public int countTokens(Prompt prompt) {
        return generator.countTokens(prompt);
    }

    @Override
    public void close() {
        closed = true;
        generator.close();
    }

    /** A stream that counts until it is closed. */
    private final class CountedStream implements GenerationStream {
        private final GenerationStream stream;
        private final AtomicBoolean ended = new AtomicBoolean();

        CountedStream(GenerationStream stream) {
            this.stream = stream;
        }

        @Override
        public Iterator<String> iterator() {
            return stream.iterator();
        }

        @Override
        public Iterator<Delta> deltas() {
            return stream.deltas();
        }

        @Override
        public void cancel() {
            stream.cancel();
        }

        @Override
        public Generation result() {
            return stream.result();
        }

        @Override
        public void close() {
            try {
                stream.close();
            } finally {
                if (ended.compareAndSet(false, true)) {
                    end();
                }
            }
        }
    }
}
