/**
 * Bridges between Pollux and LangChain4j, in both directions: {@link dev.pollux.langchain4j.ToLangChain4j} and {@link
 * dev.pollux.langchain4j.FromLangChain4j}.
 */
@NullMarked
package dev.pollux.langchain4j;

import org.jspecify.annotations.NullMarked;
