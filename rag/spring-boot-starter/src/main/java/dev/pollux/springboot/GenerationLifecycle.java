package dev.pollux.springboot;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.springframework.context.SmartLifecycle;

/** Waits for running generations when the application ends; the beans are closed after that. <em>Thread-safe.</em> */
final class GenerationLifecycle implements SmartLifecycle {

    /*
     * Phases stop from the highest to the lowest. Spring Boot's web server refuses new requests and waits for running ones in
     * MAX_VALUE - 1024, and stops in MAX_VALUE - 2048. This phase is next: it waits for generations that no request waits for,
     * such as those of scheduled tasks and of streams. Generations may still begin, since a task often consists of several.
     */
    private static final int PHASE = Integer.MAX_VALUE - 4096;

    private static final System.Logger LOGGER = System.getLogger(GenerationLifecycle.class.getName());

    private final DrainingGenerator generator;
    private final Duration grace;
    private volatile boolean running;

    GenerationLifecycle(DrainingGenerator generator, Duration grace) {
        this.generator = generator;
        this.grace = grace;
    }

    @Override
    public void start() {
        running = true;
    }

    @Override
    public void stop() {
        long begin = System.nanoTime();
        if (!generator.awaitIdle(grace)) {
            LOGGER.log(
                    System.Logger.Level.WARNING,
                    "{0} generations still run after {1} ms and are cancelled; pollux.shutdown.grace allows more time",
                    generator.running(),
                    TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin));
        }
        running = false;
    }

    @Override
    public boolean isRunning() {
        return running;
    }

    @Override
    public int getPhase() {
        return PHASE;
    }
}
