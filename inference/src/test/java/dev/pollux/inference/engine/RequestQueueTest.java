package dev.pollux.inference.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The order in which requests run. */
class RequestQueueTest {

    private static final Deadline NEVER = new Deadline(Optional.empty());

    /** One place: they run one after the other. */
    @Test
    void thoseOfAHigherPriorityRunFirstAndEqualOnesInTheOrderOfArrival() throws InterruptedException {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        try (RequestQueue queue = new RequestQueue(1, 100, Long.MAX_VALUE)) {
            RequestQueue.Ticket first = new RequestQueue.Ticket(1, 0);
            queue.enter(first, NEVER);
            List<Integer> order = Collections.synchronizedList(new ArrayList<>());
            List<Thread> threads = new ArrayList<>();
            int[] priorities = random.ints(20, -3, 4).toArray();
            for (int i = 0; i < priorities.length; i++) {
                int number = i;
                Thread thread = new Thread(() -> {
                    RequestQueue.Ticket ticket = new RequestQueue.Ticket(1, priorities[number]);
                    queue.enter(ticket, NEVER);
                    order.add(number);
                    queue.leave(ticket);
                });
                thread.start();
                threads.add(thread);
                while (queue.waiting() <= i) {
                    Thread.onSpinWait();
                }
            }
            queue.leave(first);
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(order)
                    .as("seed %d", seed)
                    .isEqualTo(IntStream.range(0, priorities.length)
                            .boxed()
                            .sorted(Comparator.comparingInt(i -> -priorities[i])) // stable
                            .toList());
        }
    }
}
