package dev.pollux.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class OpeningTest {

    private final AtomicReference<String> closed = new AtomicReference<>("");

    @Test
    void theResourceIsOpenedByAnotherThreadAndClosed() {
        Opening<String> opening =
                Opening.begin("test", () -> Thread.currentThread().getName(), () -> {}, closed::set);
        assertThat(opening.get()).isEqualTo("pollux-test");
        opening.close();
        assertThat(closed).hasValue("pollux-test");
    }

    @Test
    void theCallerGetsTheErrorAndCloseStaysQuiet() {
        IllegalStateException error = new IllegalStateException("no file");
        Opening<String> opening = Opening.begin(
                "test",
                () -> {
                    throw error;
                },
                () -> {},
                closed::set);
        assertThatThrownBy(opening::get).isSameAs(error);
        opening.close();
        assertThat(closed).hasValue("");
    }

    @Test
    void closingCancelsWhatIsStillRunningAndClosesWhatItOpens() {
        CountDownLatch cancelled = new CountDownLatch(1);
        Opening<String> opening = Opening.begin(
                "test",
                () -> {
                    awaitUninterrupted(cancelled);
                    return "opened";
                },
                cancelled::countDown,
                closed::set);
        opening.close();
        assertThat(closed).hasValue("opened");
    }

    @Test
    void anInterruptIsKeptAndTheResourceStillReturned() throws InterruptedException {
        CountDownLatch go = new CountDownLatch(1);
        AtomicBoolean kept = new AtomicBoolean();
        Opening<String> opening = Opening.begin(
                "test",
                () -> {
                    awaitUninterrupted(go);
                    return "opened";
                },
                () -> {},
                closed::set);
        Thread reader = new Thread(() -> {
            String opened = opening.get();
            kept.set(opened.equals("opened") && Thread.currentThread().isInterrupted());
        });
        reader.start();
        reader.interrupt();
        go.countDown();
        reader.join();
        assertThat(kept).isTrue();
    }

    private static void awaitUninterrupted(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
