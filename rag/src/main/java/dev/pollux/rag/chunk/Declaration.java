package dev.pollux.rag.chunk;

/**
 * A declaration in source code.
 *
 * @param kind {@code class}, {@code interface}, {@code enum}, {@code record}, {@code method}, {@code constructor}, {@code function}
 *     or another word of its language
 * @param name its name
 * @param firstLine from 1, with its documentation comment and its annotations or decorators
 * @param lastLine at least {@code firstLine}
 * @param depth number of declarations around it
 */
record Declaration(String kind, String name, int firstLine, int lastLine, int depth) {}
