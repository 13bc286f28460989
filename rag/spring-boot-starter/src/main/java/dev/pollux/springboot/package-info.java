/**
 * Auto-configuration of Pollux in Spring Boot. The contract is the properties {@code pollux.*} and the beans; the public types are names
 * for the order of auto-configurations.
 */
@NullMarked
package dev.pollux.springboot;

import org.jspecify.annotations.NullMarked;
