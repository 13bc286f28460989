/** Documents, passages, queries and the one function that finds them. */
@NullMarked
package dev.pollux.retrieval;

import org.jspecify.annotations.NullMarked;
