# Renders templates with Ruby's Liquid for ruby_test.go. Each line of standard
# input is JSON: {"template", "data", "partials"}. Each line of the answer is
# {"output"}, or {"error", "internal"} where internal says that Ruby stumbled
# instead of Liquid refusing.
require "json"
require "liquid"
require "time"
require "timeout"

Process.setrlimit(:AS, 1 << 31)

ENV["TZ"] = "UTC"

# The clock of the Go tests: 10 November 2009, 23:00 UTC.
def Time.now = at(1_257_894_000).utc

# Where the golden suite, which follows later versions, differs from 5.4 the
# later way counts; and a number has no size. ruby_differences.md tells why.
class String
  def first = self[0]
  def last = self[-1]
end

class Object
  def blank? = respond_to?(:empty?) ? empty? : !self
end

class Float
  alias signed to_s
  def to_s = zero? ? "0.0" : signed
  def inspect = to_s
end

Integer.undef_method :size

# Ruby lays ranges out, and has no memory for those that the engine refuses.
module SmallRanges
  def each(...) = (size || 0) > 100_000 ? raise(RangeError, "a range too large to lay out") : super
end

Range.prepend(SmallRanges)

Files = Struct.new(:sources) do
  def read_template_file(name)
    sources.fetch(name) { raise Liquid::FileSystemError, "no partial #{name}" }
  end
end

def answer(request)
  Timeout.timeout(5) { rendered(request) }
rescue Liquid::Error => e
  internal = e.is_a?(Liquid::InternalError) || e.is_a?(Liquid::StackLevelError)
  { error: "#{e.class}: #{e.message}".scrub, internal: internal }
rescue StandardError, SystemStackError, NoMemoryError => e
  { error: "#{e.class}: #{e.message}".scrub, internal: true }
end

def rendered(request)
  template = Liquid::Template.parse(request["template"], error_mode: :lax)
  files = Files.new(request["partials"] || {})
  { output: template.render!(request["data"], registers: { file_system: files }).dup.force_encoding("UTF-8").scrub }
end

$stdin.set_encoding("UTF-8")
$stdout.set_encoding("UTF-8")
$stdout.sync = true
$stdin.each_line { |line| puts JSON.generate(answer(JSON.parse(line))) }
