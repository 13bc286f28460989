@NullMarked
package dev.pollux.inference.encoder;

import org.jspecify.annotations.NullMarked;
