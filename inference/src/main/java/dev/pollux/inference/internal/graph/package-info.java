/** Edits of stored graphs as protobuf messages; not an API. */
@NullMarked
package dev.pollux.inference.internal.graph;

import org.jspecify.annotations.NullMarked;
