-- KEYS: the record; and the index of its principal, if it belongs to one.
-- ARGV: the expected version, '' for none; the new record; its expiry in milliseconds; and, for the index, its key and
-- the expiry in 8 bytes.
-- Answers 1 if it is stored, 0 if something else is there than was expected, -1 if that is no record.
local version, trouble = current(KEYS[1])
if not version then
    return trouble
end
-- A request that was sent again because its answer was lost finds its own record.
if version ~= '' and version == string.sub(ARGV[2], 7, 14) then
    return 1
end
if version ~= ARGV[1] then
    return 0
end

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local expiry = tonumber(ARGV[3])
if KEYS[2] and expiry > now then
    local key = ARGV[4]
    local old = redis.pcall('ZRANGEBYLEX', KEYS[2], '[' .. key, '(' .. key .. '\255')
    if old.err then
        return old
    end
    local new = key .. ARGV[5]
    if old[1] ~= new then
        local added = redis.pcall('ZADD', KEYS[2], 0, new)
        if type(added) == 'table' then
            return added
        end
        if old[1] then
            redis.call('ZREM', KEYS[2], old[1])
        end
    end
    -- Drops what has expired among the next members, wherever keys happen to lie, so that the index of somebody who
    -- comes every day does not grow for ever.
    local next = redis.call('ZRANGEBYLEX', KEYS[2], '(' .. key .. '\255', '+', 'LIMIT', 0, 8)
    local first = redis.call('ZRANGEBYLEX', KEYS[2], '-', '(' .. key, 'LIMIT', 0, 8 - #next)
    for _, some in ipairs({ next, first }) do
        for _, member in ipairs(some) do
            if #member ~= 40 or struct.unpack('>I8', member, 33) < now then
                redis.call('ZREM', KEYS[2], member)
            end
        end
    end
    -- The index goes with its last member.
    local left = redis.call('PTTL', KEYS[2])
    if left < 0 or now + left < expiry then
        redis.call('PEXPIREAT', KEYS[2], ARGV[3])
    end
end

local stored = redis.pcall('SET', KEYS[1], ARGV[2])
if stored.err then
    return stored
end
redis.call('PEXPIREAT', KEYS[1], ARGV[3])
return 1
