package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pollux.CancelledException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** Which steps begin, and what closing waits for, with steps that run no model. */
class StepAdmissionTest {

    private static final String REFUSED = "The sequence was interrupted; ask the model for another";

    private final StepAdmission admission = new StepAdmission(false);
    private final StepAdmission.Group group = admission.group();

    /** A step that counts its runs and does what a test asks of it. */
    private static final class FakeStep implements StepAdmission.Step {
        private final StepAdmission.Group group;
        private final Runnable work;
        private final AtomicInteger runs = new AtomicInteger();
        private volatile boolean interrupted;

        FakeStep(StepAdmission.Group group, Runnable work) {
            this.group = group;
            this.work = work;
        }

        @Override
        public StepAdmission.Group group() {
            return group;
        }

        @Override
        public boolean isInterrupted() {
            return interrupted;
        }

        @Override
        public void execute() {
            runs.incrementAndGet();
            work.run();
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static void meet(CyclicBarrier barrier) {
        try {
            barrier.await();
        } catch (InterruptedException | BrokenBarrierException e) {
            throw new AssertionError(e);
        }
    }

    /** Starts {@code close} and returns its thread when it waits. */
    private static Thread waiting(Runnable close) {
        Thread thread = new Thread(close);
        thread.start();
        while (thread.getState() != Thread.State.WAITING) {
            assertThat(thread.isAlive()).as("closing ends without waiting").isTrue();
            Thread.onSpinWait();
        }
        return thread;
    }

    private static void join(List<Thread> threads) {
        for (Thread thread : threads) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }

    @Test
    void aStepHasRunWhenTheCallReturns() {
        FakeStep step = new FakeStep(group, () -> {});
        admission.run(step);
        admission.run(step);
        assertThat(step.runs).hasValue(2);
    }

    @Test
    void noStepWaitsForAnother() {
        CyclicBarrier all = new CyclicBarrier(8);
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            StepAdmission.Group own = i % 2 == 0 ? group : admission.group();
            Thread thread = new Thread(() -> admission.run(new FakeStep(own, () -> meet(all))));
            thread.start();
            threads.add(thread);
        }
        join(threads);
    }

    @Test
    void aStepThatIsInterruptedBeforeItBeginsNeverBegins() {
        FakeStep step = new FakeStep(group, () -> {});
        step.interrupted = true;
        assertThatThrownBy(() -> admission.run(step))
                .isInstanceOf(CancelledException.class)
                .hasMessage(REFUSED);
        assertThat(step.runs).hasValue(0);
        step.interrupted = false;
        admission.run(step);
        assertThat(step.runs).hasValue(1);
    }

    @Test
    void aStepThatFailsIsOver() {
        FakeStep step = new FakeStep(group, () -> {
            throw new IllegalArgumentException("as asked");
        });
        assertThatThrownBy(() -> admission.run(step))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("as asked");
        group.close();
        admission.close();
    }

    @Test
    void closingWaitsForStepsThatRunAndRefusesNewOnes() {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        AtomicBoolean over = new AtomicBoolean();
        FakeStep running = new FakeStep(group, () -> {
            begun.countDown();
            await(end);
            over.set(true);
        });
        Thread caller = new Thread(() -> admission.run(running));
        caller.start();
        await(begun);
        AtomicBoolean overBeforeClosed = new AtomicBoolean();
        Thread closing = waiting(() -> {
            admission.close();
            overBeforeClosed.set(over.get());
        });
        FakeStep late = new FakeStep(admission.group(), () -> {});
        assertThatThrownBy(() -> admission.run(late))
                .isInstanceOf(CancelledException.class)
                .hasMessage(REFUSED);
        assertThat(late.runs).hasValue(0);
        end.countDown();
        join(List.of(caller, closing));
        assertThat(overBeforeClosed).isTrue();
        admission.close(); // again
    }

    @Test
    void closingAGroupWaitsForNoOtherAndRefusesNoOther() {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        StepAdmission.Group other = admission.group();
        Thread caller = new Thread(() -> admission.run(new FakeStep(other, () -> {
            begun.countDown();
            await(end);
        })));
        caller.start();
        await(begun);
        group.close();
        assertThatThrownBy(() -> admission.run(new FakeStep(group, () -> {})))
                .isInstanceOf(CancelledException.class)
                .hasMessage(REFUSED);
        FakeStep admitted = new FakeStep(other, () -> {});
        admission.run(admitted);
        assertThat(admitted.runs).hasValue(1);
        end.countDown();
        join(List.of(caller));
    }

    @Test
    void closingWaitsAlsoOnAThreadThatIsInterrupted() {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        Thread caller = new Thread(() -> admission.run(new FakeStep(group, () -> {
            begun.countDown();
            await(end);
        })));
        caller.start();
        await(begun);
        AtomicBoolean stillInterrupted = new AtomicBoolean();
        Thread closing = waiting(() -> {
            Thread.currentThread().interrupt();
            admission.close();
            stillInterrupted.set(Thread.interrupted());
        });
        end.countDown();
        join(List.of(caller, closing));
        assertThat(stillInterrupted).isTrue();
    }

    /** Callers that never pause cannot keep closing from its end, and each of them comes to know of it. */
    @Test
    void closingIsNotStarvedByCallersThatComeAgainAndAgain() {
        List<Thread> callers = new ArrayList<>();
        CountDownLatch busy = new CountDownLatch(4);
        AtomicInteger refused = new AtomicInteger();
        for (int i = 0; i < 4; i++) {
            FakeStep step = new FakeStep(group, () -> {});
            Thread caller = new Thread(() -> {
                try {
                    for (boolean first = true; true; first = false) {
                        admission.run(step);
                        if (first) {
                            busy.countDown();
                        }
                    }
                } catch (CancelledException e) {
                    refused.incrementAndGet();
                }
            });
            caller.start();
            callers.add(caller);
        }
        await(busy);
        admission.close();
        join(callers);
        assertThat(refused).hasValue(4);
    }

    /** Random callers of random groups, which are closed one after the other: none runs after its group was closed. */
    @Test
    void noStepRunsAfterItsGroupWasClosed() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        for (int round = 0; round < 20; round++) {
            List<StepAdmission.Group> groups = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                groups.add(admission.group());
            }
            Map<StepAdmission.Group, AtomicBoolean> closed = new ConcurrentHashMap<>();
            groups.forEach(one -> closed.put(one, new AtomicBoolean()));
            AtomicInteger late = new AtomicInteger();
            List<Thread> callers = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                StepAdmission.Group own = groups.get(random.nextInt(groups.size()));
                AtomicBoolean gone = closed.get(own);
                FakeStep step = new FakeStep(own, () -> {
                    late.addAndGet(gone.get() ? 1 : 0);
                    LockSupport.parkNanos(1_000);
                    late.addAndGet(gone.get() ? 1 : 0);
                });
                Thread caller = new Thread(() -> {
                    try {
                        while (true) {
                            admission.run(step);
                        }
                    } catch (CancelledException e) {
                        assertThat(e).hasMessage(REFUSED);
                    }
                });
                caller.start();
                callers.add(caller);
            }
            for (StepAdmission.Group one : groups) {
                for (int i = random.nextInt(200); i > 0; i--) {
                    Thread.onSpinWait();
                }
                one.close();
                closed.get(one).set(true);
            }
            join(callers);
            assertThat(late).as("seed %d, round %d", seed, round).hasValue(0);
        }
        admission.close(); // nothing is counted any more
    }
}
