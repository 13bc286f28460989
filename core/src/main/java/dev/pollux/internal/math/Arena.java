package dev.pollux.internal.math;

/**
 * Arrays that one thread reuses for each tensor, because a new array is cleared on allocation. <em>Confined to one
 * thread.</em>
 */
public final class Arena {

    private final long room;
    private float[][] slots = new float[0][];

    /**
     * @param room maximum size of the arrays in bytes before they are released
     */
    public Arena(long room) {
        this.room = room;
    }

    /** An array of at least {@code length} elements for source {@code slot}; its content is undefined. */
    public float[] take(int slot, int length) {
        if (slot >= slots.length) {
            float[][] more = new float[slot + 1][0];
            System.arraycopy(slots, 0, more, 0, slots.length);
            slots = more;
        }
        if (slots[slot].length < length) {
            long bytes = 4L * length;
            for (float[] other : slots) {
                bytes += 4L * other.length;
            }
            for (int i = 0; bytes > room && i < slots.length; i++) {
                slots[i] = new float[0]; // those in use stay with who uses them
            }
            slots[slot] = new float[length];
        }
        return slots[slot];
    }
}
