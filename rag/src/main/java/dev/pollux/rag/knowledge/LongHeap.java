package dev.pollux.rag.knowledge;

import java.util.Arrays;
import java.util.stream.LongStream;

/** A binary heap of numbers with the least on top. <em>Not thread-safe: one thread at a time.</em> */
final class LongHeap {

    private long[] heap;
    private int size;

    /** @param capacity for the beginning */
    LongHeap(int capacity) {
        heap = new long[Math.max(1, capacity)];
    }

    int size() {
        return size;
    }

    /** The least; the heap must not be empty. */
    long top() {
        return heap[0];
    }

    void push(long value) {
        if (size == heap.length) {
            heap = Arrays.copyOf(heap, 2 * size);
        }
        int at = size++;
        while (at > 0 && heap[at - 1 >>> 1] > value) {
            heap[at] = heap[at - 1 >>> 1];
            at = at - 1 >>> 1;
        }
        heap[at] = value;
    }

    /** Adds a value; if there are more than {@code most} then, the least goes. */
    void offer(long value, int most) {
        if (size < most) {
            push(value);
        } else if (size > 0 && value > heap[0]) {
            sink(value);
        }
    }

    /** Removes the least. */
    long pop() {
        long least = heap[0];
        size--;
        if (size > 0) {
            sink(heap[size]);
        }
        return least;
    }

    /** Puts a value in the place of the least. */
    private void sink(long value) {
        int at = 0;
        for (int child = 1; child < size; child = 2 * at + 1) {
            if (child + 1 < size && heap[child + 1] < heap[child]) {
                child++;
            }
            if (heap[child] >= value) {
                break;
            }
            heap[at] = heap[child];
            at = child;
        }
        heap[at] = value;
    }

    /** All, in no particular order. */
    LongStream values() {
        return Arrays.stream(heap, 0, size);
    }
}
