/**
 * Chat templates: the Jinja language as model files use it, on the JDK alone.
 *
 * <p>{@link dev.pollux.inference.template.ChatTemplate} is the entrance. Source text becomes tokens ({@code Lexer}),
 * tokens become {@code Statement}s and {@code Expression}s ({@code StatementParser}, {@code ExpressionParser}), and those
 * run on values of Python's data model: {@code Operators} does what Python's operators do, {@code Filters}, {@code Tests}
 * and {@code Methods} hold what can be called on a value. One {@code Interpreter} lives for one rendering and enforces
 * the {@link dev.pollux.inference.template.TemplateLimits}.
 */
@NullMarked
package dev.pollux.inference.template;

import org.jspecify.annotations.NullMarked;
