// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.30;

/// Keeps the blocked bit and the amount in one word, as USDC does.
contract PackedToken {
    string public constant name = "Packed Token";
    string public constant symbol = "PACKED";
    uint8 public constant decimals = 6;
    uint256 public totalSupply;
    mapping(address => uint256) internal balanceAndBlacklistStates;

    constructor(address holder, uint256 units) {
        totalSupply = units;
        balanceAndBlacklistStates[holder] = units;
    }

    function balanceOf(address owner) external view returns (uint256) {
        return balanceAndBlacklistStates[owner] & ((1 << 255) - 1);
    }

    function block_(address owner) external {
        balanceAndBlacklistStates[owner] |= 1 << 255;
    }
}

/// Keeps shares; an amount depends on two totals, as of stETH.
contract SharesToken {
    string public constant name = "Shares Token";
    string public constant symbol = "SHARES";
    uint8 public constant decimals = 18;
    bytes32 private constant TOTALS = keccak256("saldo.tests.totals");
    mapping(address => uint256) private shares;

    constructor(address holder, uint256 units) {
        shares[holder] = units;
        _setTotals(units, units + units / 10);
    }

    /// The upper half of the word is the number of shares, the lower half is what they are worth.
    function _setTotals(uint256 totalShares, uint256 pooled) private {
        bytes32 slot = TOTALS;
        uint256 word = (totalShares << 128) | pooled;
        assembly {
            sstore(slot, word)
        }
    }

    function totals() public view returns (uint256 totalShares, uint256 pooled) {
        bytes32 slot = TOTALS;
        uint256 word;
        assembly {
            word := sload(slot)
        }
        return (word >> 128, word & type(uint128).max);
    }

    function rebase(uint256 pooled) external {
        (uint256 totalShares, ) = totals();
        _setTotals(totalShares, pooled);
    }

    function totalSupply() external view returns (uint256 pooled) {
        (, pooled) = totals();
    }

    function balanceOf(address owner) external view returns (uint256) {
        (uint256 totalShares, uint256 pooled) = totals();
        return totalShares == 0 ? 0 : shares[owner] * pooled / totalShares;
    }
}

/// The index that a token with interest asks for.
contract InterestPool {
    uint128 public index = 1e27;
    uint128 public ratePerSecond = 1e18;
    uint40 public updated = uint40(block.timestamp);

    function normalizedIncome() external view returns (uint256) {
        return uint256(index) + uint256(ratePerSecond) * (block.timestamp - updated);
    }
}

/// Keeps a scaled amount beside an index. The amount grows with each second, as of an aToken.
contract InterestToken {
    struct State {
        uint128 scaled;
        uint128 index;
    }

    string public constant name = "Interest Token";
    string public constant symbol = "INTEREST";
    uint8 public constant decimals = 18;
    mapping(address => State) internal states;
    InterestPool public pool;

    constructor(address holder, uint256 units) {
        pool = new InterestPool();
        states[holder] = State(uint128(units), 1e27);
    }

    function balanceOf(address owner) external view returns (uint256) {
        return (uint256(states[owner].scaled) * pool.normalizedIncome() + 5e26) / 1e27;
    }
}

/// Keeps the balances in a mapping of a mapping, and reads another slot for one holder.
contract BranchingToken {
    string public constant name = "Branching Token";
    string public constant symbol = "BRANCH";
    uint8 public constant decimals = 0;
    mapping(address => uint256) internal ordinary;
    mapping(address => uint256) internal special;
    mapping(address => bool) internal isSpecial;

    constructor(address holder, uint256 units) {
        isSpecial[holder] = true;
        special[holder] = units;
    }

    function balanceOf(address owner) external view returns (uint256) {
        return isSpecial[owner] ? special[owner] : ordinary[owner];
    }
}
