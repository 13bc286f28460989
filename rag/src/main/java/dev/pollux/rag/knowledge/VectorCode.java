package dev.pollux.rag.knowledge;

/**
 * A vector in 8-bit integers: x ≈ scale · bytes.
 *
 * @param scale max |x| / 127; 0 for a vector of zeros
 * @param error length of x − scale · bytes, rounded up
 * @param norm length of x, rounded up
 * @param bytes (dimension) each in [-127, 127]
 */
record VectorCode(float scale, float error, float norm, byte[] bytes) {

    static final int LARGEST = 127;

    static VectorCode of(float[] x) { // (dimension)
        float largest = 0;
        for (float value : x) {
            largest = Math.max(largest, Math.abs(value));
        }
        float scale = largest / LARGEST;
        byte[] bytes = new byte[x.length];
        double error = 0;
        double norm = 0;
        for (int i = 0; i < x.length; i++) {
            int code = scale == 0 ? 0 : Math.max(-LARGEST, Math.min(LARGEST, Math.round(x[i] / scale)));
            bytes[i] = (byte) code;
            double difference = (double) x[i] - (double) scale * code;
            error += difference * difference;
            norm += (double) x[i] * x[i];
        }
        return new VectorCode(
                scale, Math.nextUp((float) Math.sqrt(error)), Math.nextUp((float) Math.sqrt(norm)), bytes);
    }
}
