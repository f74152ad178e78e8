-- KEYS: the record. ARGV: the version that it must have.
-- Answers 1 if it is gone, 0 if it has another version, -1 if what is there is no record.
local version, trouble = current(KEYS[1])
if not version then
    return trouble
end
if version == '' then
    return 1
end
if version ~= ARGV[1] then
    return 0
end
redis.call('DEL', KEYS[1])
return 1
