/** Vectors of documents computed in Apache Spark. */
@NullMarked
package dev.pollux.spark;

import org.jspecify.annotations.NullMarked;
